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

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/consent"
	"github.com/drone-laptop/drone/internal/facts"
	"github.com/drone-laptop/drone/report"
)

// answer is what the user says to the commands of a file.
type answer int

const (
	no answer = iota
	yes
	always
)

// agreed makes the plan again with the pipelines of type exec that the user has
// agreed to, now or before; refused is the plan without. It does so only where
// such a pipeline would run, and asks only when asking is allowed and there is
// somebody to ask.
func agreed(s Streams, refused *planned, mayAsk bool, again func() (*planned, error)) (*planned, error) {
	if refused.plan == nil || !hasType(refused.plan, "exec") {
		return refused, nil
	}
	allowed, err := again()
	if err != nil || allowed.plan == nil || !runsType(allowed.plan, "exec") {
		return refused, nil // no consent makes a difference
	}
	memory := memoryOf(s, allowed)
	if memory.has() {
		return allowed, nil
	}
	if !mayAsk || !s.Dialogue || allowed.wrong() {
		return refused, nil
	}
	switch ask(s, allowed) {
	case always:
		memory.add()
	case no:
		return refused, nil
	}
	return allowed, nil
}

// memory is what was agreed to before, for the text of one plan.
type memory struct {
	streams Streams
	store   consent.Store
	tree    string
	text    []byte
	lost    bool // there is no place to remember in
}

func memoryOf(s Streams, p *planned) memory {
	m := memory{streams: s, text: p.source}
	state, err := stateDir(s)
	if err == nil {
		m.tree, err = workingTree()
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

// workingTree names the working tree: by its top where git knows one, without
// symbolic links.
func workingTree() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	if top := facts.Read(dir).Root; top != "" {
		dir = top
	}
	return filepath.EvalSymlinks(dir)
}

func (m memory) has() bool {
	if m.lost {
		return false
	}
	found, err := m.store.Has(m.tree, m.text)
	m.warn("answers of before cannot be used", err)
	return found
}

func (m memory) add() {
	if m.lost {
		m.streams.warn("the answer was not remembered: neither XDG_STATE_HOME nor a home directory is known")
		return
	}
	m.warn("the answer was not remembered", m.store.Add(m.tree, m.text))
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

// ask shows what would run and asks whether it may.
func ask(s Streams, p *planned) answer {
	var names []string
	for _, pipe := range hostPipelines(p.plan) {
		names = append(names, report.Visible(pipe.Name))
	}
	fmt.Fprintf(s.Err, "drone: %s of type exec in %s would run on this machine: %s\nNo container is around these commands, they can do whatever you can:\n",
		report.Plural(len(names), "pipeline"), p.name, strings.Join(names, ", "))
	for _, line := range whatRuns(p.plan) {
		fmt.Fprintf(s.Err, "  %s\n", line)
	}
	fmt.Fprintln(s.Err, "Always means the whole file, also steps and pipelines of it that are not shown because this build leaves them out.")
	in := bufio.NewReader(s.In)
	for range 3 {
		fmt.Fprint(s.Err, "Run them? [y]es, [N]o, [a]lways while the file stays as it is: ")
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
	for _, pipe := range hostPipelines(plan) {
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

// hostPipelines are the pipelines that run on this machine.
func hostPipelines(plan *exec.Plan) []*exec.Pipeline {
	var list []*exec.Pipeline
	for _, p := range plan.Pipelines {
		if p.Runs && p.Type == "exec" {
			list = append(list, p)
		}
	}
	return list
}

func hasType(plan *exec.Plan, kind string) bool {
	for _, p := range plan.Pipelines {
		if p.Type == kind {
			return true
		}
	}
	return false
}

func runsType(plan *exec.Plan, kind string) bool {
	for _, p := range plan.Pipelines {
		if p.Runs && p.Type == kind {
			return true
		}
	}
	return false
}
