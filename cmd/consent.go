package cmd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/consent"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/report"
)

// answer is what the user says to what a file asks for.
type answer int

const (
	no answer = iota
	yes
	always
)

// agreed makes the plan again with what the user has agreed to, now or before:
// that pipelines of type exec run, that those in containers get privileges.
// refused is the plan with no more than the options allow. The user is asked
// only when asking is allowed and there is somebody to ask, and then once for
// everything: half of a file is seldom wanted.
func agreed(s Streams, refused *planned, opts compile.Options, mayAsk bool, again func(compile.Options) (*planned, error)) (*planned, error) {
	trust := !opts.Trusted && refused.untrusted()
	host := !opts.Host.Consent && refused.plan != nil && slices.ContainsFunc(refused.plan.Pipelines, func(p *exec.Pipeline) bool { return p.Type == "exec" })
	if refused.plan == nil || !trust && !host {
		return refused, nil
	}
	open := opts
	open.Trusted, open.Host.Consent = opts.Trusted || trust, opts.Host.Consent || host
	allowed, err := again(open)
	if err != nil || allowed.plan == nil {
		return refused, nil
	}
	r := request{planned: allowed}
	if host && runsType(allowed.plan, "exec") {
		r.commands = []consent.Answer{consent.Commands("", allowed.text)}
	}
	if trust {
		r.privileges = privilegesOf(allowed.plan)
	}
	if len(r.commands)+len(r.privileges) == 0 {
		return refused, nil // no consent makes a difference
	}
	memory := memoryOf(s)
	r.inFile(memory.inTree(allowed.name))
	r.missing = memory.missing(r.answers())
	if len(r.missing) == 0 {
		return allowed, nil
	}
	if mayAsk && s.mayAsk() && !allowed.wrong() {
		switch r.ask(s) {
		case always:
			memory.add(r.missing)
			return allowed, nil
		case yes:
			return allowed, nil
		}
		refused.declined = true
	}
	// One of the two may have been agreed to before.
	part := opts
	part.Trusted = opts.Trusted || len(r.privileges) > 0 && r.known(r.privilegeAnswers())
	part.Host.Consent = opts.Host.Consent || len(r.commands) > 0 && r.known(r.commands)
	if part.Trusted == opts.Trusted && part.Host.Consent == opts.Host.Consent {
		return refused, nil
	}
	some, err := again(part)
	if err == nil {
		some.declined = refused.declined
	}
	return some, err
}

// mayAsk reports whether there is somebody to answer a question.
func (s Streams) mayAsk() bool { return s.Dialogue && s.getenv("CI") == "" }

// request is what a plan needs the user's consent for.
type request struct {
	*planned
	commands   []consent.Answer // of pipelines of type exec, at most one
	privileges []privilege
	missing    []consent.Answer // what the user has not agreed to yet
}

// privilege is a privilege of a pipeline with what is remembered of it.
type privilege struct {
	exec.Privilege
	answer consent.Answer
}

// privilegesOf are those of the pipelines that run.
func privilegesOf(plan *exec.Plan) (list []privilege) {
	for _, pipe := range plan.Pipelines {
		for _, p := range pipe.Privileges {
			if pipe.Runs {
				p = seen(p)
				list = append(list, privilege{p, consent.Privilege("", pipe.Name, p.Step, p.What)})
			}
		}
	}
	return list
}

// seen is a privilege with what this machine adds to it: where a link leads. The
// answer is about that, too, since a step or a commit can make another link.
func seen(p exec.Privilege) exec.Privilege {
	if p.Path == "" {
		return p
	}
	// What is not there is made by the engine, and is no link.
	target, err := filepath.EvalSymlinks(p.Path)
	if err == nil && target != filepath.Clean(p.Path) {
		p.What += fmt.Sprintf(", a link to %q", target)
		p.Gives = compile.HostPathGives(target)
	}
	return p
}

// inFile sets the file that all answers are about.
func (r *request) inFile(file string) {
	for i := range r.commands {
		r.commands[i].File = file
	}
	for i := range r.privileges {
		r.privileges[i].answer.File = file
	}
}

func (r *request) privilegeAnswers() (list []consent.Answer) {
	for _, p := range r.privileges {
		list = append(list, p.answer)
	}
	return list
}

func (r *request) answers() []consent.Answer {
	return append(slices.Clone(r.commands), r.privilegeAnswers()...)
}

// known reports whether the user has agreed to all of list.
func (r *request) known(list []consent.Answer) bool {
	return !slices.ContainsFunc(list, func(a consent.Answer) bool { return slices.Contains(r.missing, a) })
}

// memory is what was agreed to before in the working tree.
type memory struct {
	streams Streams
	store   consent.Store
	tree    string
	lost    bool // there is no place to remember in
}

func memoryOf(s Streams) memory {
	m := memory{streams: s}
	state, err := stateDir(s)
	if err == nil {
		m.tree, err = workingTree(".")
	}
	m.store, m.lost = consent.In(state), err != nil
	return m
}

// stateDir is the directory for state by the XDG conventions, which take an
// absolute path only.
func stateDir(s Streams) (string, error) {
	if dir := s.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".local", "state"), err
}

// workingTree names the working tree of a directory: by its top where git knows
// one, without symbolic links.
func workingTree(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if top := facts.Read(dir).Root; top != "" {
		dir = top
	}
	return filepath.EvalSymlinks(dir)
}

// inTree names a file as seen from the top of the working tree.
func (m memory) inTree(file string) string {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err == nil {
		dir, err = filepath.Rel(m.tree, dir)
	}
	if err != nil {
		return file
	}
	return filepath.ToSlash(filepath.Join(dir, filepath.Base(file)))
}

// missing are the answers that were not given before.
func (m memory) missing(wanted []consent.Answer) []consent.Answer {
	if m.lost {
		return wanted
	}
	missing, err := m.store.Missing(m.tree, wanted)
	m.warn("answers of before cannot be used", err)
	return missing
}

func (m memory) add(given []consent.Answer) {
	if m.lost {
		m.streams.warn("the answer was not remembered: neither XDG_STATE_HOME nor a home directory is known")
		return
	}
	m.warn("the answer was not remembered", m.store.Add(m.tree, given, time.Now()))
}

// warn says what an error of the store means.
func (m memory) warn(what string, err error) {
	var failed *consent.Error
	if !errors.As(err, &failed) {
		return
	}
	text := what + ": " + failed.Error()
	if failed.Hint != "" {
		text += "; " + failed.Hint
	}
	m.streams.warn(text)
}

// ask shows what would run and what it would get, as far as the user has not
// agreed to it, and asks whether it may.
func (r *request) ask(s Streams) answer {
	run, give := !r.known(r.commands), !r.known(r.privilegeAnswers())
	if run {
		r.showCommands(s)
	}
	if give {
		r.showPrivileges(s)
	}
	question := "Allow both? [y]es, [N]o, [a]lways: "
	switch {
	case !give:
		question = "Run them? [y]es, [N]o, [a]lways while the file stays as it is: "
	case !run:
		question = "Allow this? [y]es, [N]o, [a]lways in this working tree: "
	}
	in := bufio.NewReader(s.In)
	for range 3 {
		fmt.Fprint(s.Err, question)
		line, err := in.ReadString('\n')
		switch strings.ToLower(strings.TrimSpace(line)) {
		case "y", "yes":
			return yes
		case "a", "always":
			return always
		case "n", "no":
			return no
		case "":
			if errors.Is(err, io.EOF) {
				fmt.Fprintln(s.Err)
			}
			return no
		}
	}
	return no
}

func (r *request) showCommands(s Streams) {
	var names []string
	for _, pipe := range running(r.plan, "exec") {
		names = append(names, report.Visible(pipe.Name))
	}
	fmt.Fprintf(s.Err, "drone: %s of type exec in %s would run on this machine: %s\nNo container is around these commands, they can do whatever you can:\n",
		report.Plural(len(names), "pipeline"), report.Visible(r.name), strings.Join(names, ", "))
	for _, line := range whatRuns(r.plan) {
		fmt.Fprintln(s.Err, s.paragraph("  "+line))
	}
	fmt.Fprintln(s.Err, s.paragraph("Always means the whole file, also steps and pipelines of it that are not shown because this build leaves them out."))
}

// showPrivileges shows all of them: what is not shown is not agreed to.
func (r *request) showPrivileges(s Streams) {
	fmt.Fprintf(s.Err, "drone: %s asks for more than containers of its own:\n", report.Visible(r.name))
	for _, p := range r.privileges {
		who := fmt.Sprintf("pipeline %q", p.answer.Pipeline)
		if p.Step != "" {
			who = fmt.Sprintf("step %q", p.Step)
		}
		line := fmt.Sprintf("%s: %s: %s: %s", p.Position, who, p.What, p.Gives)
		if r.known([]consent.Answer{p.answer}) {
			line += " (agreed to before)"
		}
		fmt.Fprintln(s.Err, s.paragraph("  "+report.Visible(line)))
	}
	fmt.Fprintln(s.Err, s.paragraph("Always means these, whatever images and commands the steps have then; what else the file asks for is asked again."))
}

// mostLines is how many lines of a plan a question shows, mostValue how many
// characters of the value of a variable.
const (
	mostLines = 20
	mostValue = 120
)

// whatRuns is what would run on this machine, as it can stand on a terminal:
// the commands of each step, behind the variables that the file sets for them,
// which can change what any command does.
func whatRuns(plan *exec.Plan) []string {
	var lines []string
	for _, pipe := range running(plan, "exec") {
		for _, step := range pipe.Steps {
			if step.Policy == exec.Never {
				continue
			}
			for _, line := range append(variableLines(step), commandLines(step)...) {
				lines = append(lines, report.Visible(step.Name+": "+line))
			}
		}
	}
	if more := len(lines) - mostLines; more > 0 {
		lines = append(lines[:mostLines], fmt.Sprintf("… and %s, see `drone compile --host`", report.Plural(more, "more line")))
	}
	return lines
}

// variableLines are the variables of a step. Of secrets they have the name.
func variableLines(step *exec.Step) []string {
	values := map[string]string{}
	for name, value := range step.Env {
		values[name] = "=" + shortened(value)
	}
	for _, secret := range step.Secrets {
		if secret.Env != "" {
			values[secret.Env] = " from the secret " + secret.Name
		}
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		lines = append(lines, "environment "+name+values[name])
	}
	return lines
}

// shortened is the beginning of a value, and how much is missing.
func shortened(value string) string {
	runes := []rune(value)
	if len(runes) <= mostValue {
		return value
	}
	return fmt.Sprintf("%s… (%s)", string(runes[:mostValue]), report.Plural(len(runes)-mostValue, "more character"))
}

func commandLines(step *exec.Step) []string {
	var lines []string
	for _, command := range step.Commands {
		for line := range strings.Lines(command) {
			lines = append(lines, strings.TrimRight(line, "\r\n"))
		}
	}
	return lines
}

// unagreed are the pipelines that only want the user's word to run.
func (p *planned) unagreed() (list []*exec.Pipeline) {
	if p.plan == nil {
		return nil
	}
	for _, pipe := range p.plan.Pipelines {
		if !pipe.Runs && strings.HasPrefix(pipe.Reason, compile.NoConsent) {
			list = append(list, pipe)
		}
	}
	return list
}

// showUnagreed names their places, and what they would get.
func (p *planned) showUnagreed(s Streams) {
	for _, pipe := range p.unagreed() {
		text := fmt.Sprintf("%s: pipeline %q asks to run its commands on this machine: they can do whatever you can", pipe.Position, pipe.Name)
		fmt.Fprintf(s.Err, "drone: %s %s\n", s.errStyle().Paint(red, "error:"), report.Visible(text))
	}
}

// refuseCommands fails when nothing runs only because nobody has agreed to it.
// Who asked for a run must not take that for a success.
func (p *planned) refuseCommands(s Streams) error {
	if runs(p.plan) > 0 || len(p.unagreed()) == 0 {
		return nil
	}
	if p.declined { // the question has shown them
		return usage(fmt.Errorf("you have not agreed to what %s asks for, so nothing was run", p.name), "")
	}
	p.showUnagreed(s)
	return usage(fmt.Errorf("nobody has agreed to the commands of %s, so nothing was run", p.name),
		"read them, then run them with --host if you trust them; on a terminal `drone exec` asks, and can remember the answer")
}
