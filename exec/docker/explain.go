package docker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/drone-laptop/drone/exec"
)

// about is what an explanation may name.
type about struct {
	image    string
	commands bool              // the step has commands
	env      map[string]string // only names and lengths are shown
}

// explanation turns a text of the engine into one of ours.
type explanation struct {
	match *regexp.Regexp
	// say is the sentence; it may use %[1]q for the image and %[2]q for the
	// first group of match.
	say  string
	hint string
}

func explain(pattern, say, hint string) explanation {
	return explanation{regexp.MustCompile("(?i)" + pattern), say, hint}
}

// hintEmulate is for programs of other processors.
const hintEmulate = "install emulation on the engine's machine, such as the package qemu-user-static or the image tonistiigi/binfmt, or leave the pipeline to an engine of its platform"

// explanations lists what users meet, most specific first. The patterns hold
// for the engines from 20.10 on and for Podman where it words things alike.
func explanations() []explanation {
	return append(startExplanations(), hostExplanations()...)
}

func startExplanations() []explanation {
	const program = "check entrypoint and command of the step against the image"
	return []explanation{
		explain(`exec: "([^"]+)": (?:executable file not found|stat [^:]+: no such file)|executable file \x60?([^ \x60]+)\x60? not found in`,
			"image %[1]q has no program %[2]q", program),
		explain(`exec: "([^"]+)": .*is a directory`, "%[2]q in image %[1]q is a directory, not a program", program),
		explain(`exec: "([^"]+)": .*permission denied`, "%[2]q in image %[1]q is not executable", program),
		explain(`no command specified|no command or entrypoint provided`, "image %[1]q has neither an entrypoint nor a command", "give the step commands, an entrypoint or a command"),
		explain(`exec format error`, "image %[1]q is for another processor than that of the engine", hintEmulate),
		explain(`unable to find user ([^:]+): no matching entries`, "image %[1]q has no user %[2]q", "use a numeric user, such as \"1000\""),
		explain(`unable to find group ([^:]+): no matching entries`, "image %[1]q has no group %[2]q", "use a numeric group, such as \"1000:1000\""),
		explain(`working directory '([^']*)' is invalid`, "working_dir %[2]q is not an absolute path", "begin it with a slash"),
		explain(`cwd must be an absolute path`, "working_dir is not an absolute path", "begin it with a slash"),
		explain(`Cannot mkdir: ([^ ]+) is not a directory`, "working_dir %[2]q is a file in image %[1]q", "choose another working_dir"),
		explain(`invalid reference format|repository name must be lowercase`, "%[1]q is not the name of an image", "names of images are in lower case, with at most one tag"),
	}
}

func hostExplanations() []explanation {
	return []explanation{
		explain(`bind source path does not exist: (\S+)`, "%[2]q, which the step mounts, does not exist on the engine's machine",
			"create it, or correct the path of the volume; a drone in a container needs what it mounts at the path that it has outside"),
		explain(`invalid mount path: '([A-Za-z]:/[^']*|//[^']*)' mount path must be absolute`, "%[2]q, which the step mounts, is a path of Windows, and the engine's machine has none",
			"run drone on that machine, as within WSL, or with --clone"),
		explain(`mounts denied|path (?:is )?not shared`, "the engine may not mount a path of this machine", "share the path in the settings of Docker Desktop"),
		explain(`error gathering device information while adding custom device "([^"]+)"`, "device %[2]q does not exist on the engine's machine", "check the host path of the volume"),
		explain(`unable to apply caps: operation not permitted`, "the engine may not start privileged containers",
			"it has not got all privileges itself; use one that runs on a machine, not in a container"),
		explain(`minimum memory limit allowed is (\w+)`, "mem_limit is below %[2]q, the least the engine allows", "raise mem_limit"),
		explain(`unable to set memory limit to`, "mem_limit is below what the start of a container takes", "raise mem_limit"),
		explain(`Minimum memoryswap limit should be larger`, "memswap_limit is below mem_limit", "memswap_limit counts memory and swap together"),
		explain(`address pool|fully subnetted`, "the engine has no addresses left for another network",
			"remove networks nobody uses: `drone clean` those of runs that are over, `docker network prune` all"),
		explain(`no space left on device|disk quota exceeded`, "the disk of the engine is full", "`docker system df` shows what takes the space, `docker system prune` frees some"),
		explain(`network ([^ ]+) not found|network with name or ID ([^ :]+): network not found`, "there is no network %[2]q", "create it with `docker network create`, or correct the name"),
	}
}

// stepError explains a failure in one phase of a step.
func stepError(phase exec.Phase, of about, err error) *exec.StepError {
	text := oneLine(err)
	if strings.Contains(text, "argument list too long") {
		return tooLong(phase, of)
	}
	if of.commands && strings.Contains(text, `exec: "/bin/sh"`) {
		return &exec.StepError{
			Phase: phase, Err: fmt.Errorf("image %q has no /bin/sh, which commands need", of.image),
			Hint: "choose an image with a shell, or use entrypoint and command in place of commands",
		}
	}
	for _, x := range explanations() {
		found := x.match.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		return &exec.StepError{Phase: phase, Err: errors.New(x.sentence(of.image, firstGroup(found))), Hint: x.hint}
	}
	verbs := map[exec.Phase]string{exec.PhaseCreate: "create", exec.PhaseStart: "start", exec.PhaseRun: "watch"}
	verb, ok := verbs[phase]
	if !ok {
		return &exec.StepError{Phase: phase, Err: errors.New(text)}
	}
	return &exec.StepError{Phase: phase, Err: fmt.Errorf("cannot %s the container of image %q: %s", verb, of.image, text)}
}

func (x explanation) sentence(image, group string) string {
	return strings.NewReplacer("%[1]q", fmt.Sprintf("%q", image), "%[2]q", fmt.Sprintf("%q", group)).Replace(x.say)
}

func firstGroup(found []string) string {
	for _, group := range found[1:] {
		if group != "" {
			return group
		}
	}
	return ""
}

// tooLong names the largest variable; its value may be a secret.
func tooLong(phase exec.Phase, of about) *exec.StepError {
	name := longest(of.env)
	return &exec.StepError{
		Phase: phase,
		Err:   fmt.Errorf("the environment is too long for the kernel: %s alone has %d bytes", name, len(of.env[name])),
		Hint:  "one variable may have at most 128 KiB; put long values into a file",
	}
}

// nulError names a variable that no process can have. The engine's own error
// would quote the value, in which nobody knows a secret again.
func nulError(name string) *exec.StepError {
	return &exec.StepError{
		Phase: exec.PhaseCreate,
		Err:   fmt.Errorf("the value of the variable %q has a NUL byte, and no process can have one", name),
		Hint:  "encode it, for example as base64, or put it into a file",
	}
}

// withNUL gives the first variable by name whose value, or name, has a NUL byte.
func withNUL(env map[string]string) (string, bool) {
	first, found := "", false
	for name, value := range env {
		if strings.Contains(name+value, "\x00") && (!found || name < first) {
			first, found = name, true
		}
	}
	return first, found
}

func longest(env map[string]string) string {
	var name string
	for n, v := range env {
		if name == "" || len(v) > len(env[name]) || len(v) == len(env[name]) && n < name {
			name = n
		}
	}
	return name
}

// fits reports whether the kernel takes every variable. A container with a
// longer one is started all the same and then fails with a line of the
// runtime's in its output.
func fits(env map[string]string, pageSize int) bool {
	name := longest(env)
	const pages = 32 // MAX_ARG_STRLEN of Linux; counts the equals sign and a NUL
	return len(name)+len(env[name])+2 <= pages*pageSize
}

// runtimeNoise are prefixes the engine puts before what happened.
var runtimeNoise = regexp.MustCompile(`^(?:Error response from daemon: |Error: |failed to create task for container: |failed to create shim task: |` +
	`OCI runtime create failed: |(?:runc|crun|container_linux\.go:\d+|process_linux\.go:\d+)[^:]*: |starting container process caused: |` +
	`unable to start container process: |error during container init: )+`)

// oneLine is the text of an error of the engine without the words every such
// error begins with, as part of a sentence.
func oneLine(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = strings.TrimSuffix(runtimeNoise.ReplaceAllString(text, ""), ": unknown")
	text = strings.TrimRight(text, ". ")
	first, size := utf8.DecodeRuneInString(text)
	if second, _ := utf8.DecodeRuneInString(text[size:]); unicode.IsUpper(second) {
		return text // an abbreviation, such as TLS
	}
	return string(unicode.ToLower(first)) + text[size:]
}
