// Package convert turns configuration files that are not Drone YAML into Drone
// YAML, as the server does before it reads them (reference §11.6).
//
// It evaluates Jsonnet and Starlark. It recognises templates and files for
// Drone 0.4 to 0.8 and says what they are, but does not convert them. It does
// not check what comes out: that is the business of the packages that read
// Drone YAML. It reads no files but those a Jsonnet program imports.
//
// Functions may be called concurrently.
package convert

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/drone-laptop/drone/compile"
	"github.com/drone-laptop/drone/manifest"
)

// Format is a kind of configuration file.
type Format string

// The formats that Detect tells apart.
const (
	FormatDrone    Format = "drone"     // YAML of Drone 1.0 and later
	FormatJsonnet  Format = "jsonnet"   // .jsonnet
	FormatStarlark Format = "starlark"  // .star, .starlark, .script
	FormatTemplate Format = "template"  // YAML with kind: template
	FormatLegacy08 Format = "drone 0.8" // YAML of Drone 0.5 to 0.8
	FormatLegacy04 Format = "drone 0.4" // YAML of Drone 0.4
)

// Error is a file that cannot be converted, with the place in the file where
// it goes wrong. That place can be in a file that was imported.
type Error struct {
	Pos     manifest.Pos
	Message string
	Hint    string // what to do, may be empty
}

// Error is file:line:col: message, without the parts that are not known.
func (e *Error) Error() string {
	switch {
	case e.Pos.File == "":
		return e.Message
	case e.Pos.Line == 0:
		return e.Pos.File + ": " + e.Message
	case e.Pos.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.Pos.File, e.Pos.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.Pos.File, e.Pos.Line, e.Pos.Column, e.Message)
}

// Options are what programs are given. The zero value is what a server gives
// for a build without facts.
type Options struct {
	Build compile.Build
	// ExtVars are further external variables of Jsonnet; they win over those of
	// the build.
	ExtVars map[string]string
	// Paths are folders for imports of Jsonnet, see JsonnetOptions.
	Paths []string
	// Within is the folder that imports must be in, see JsonnetOptions.
	Within string
	// MaxSteps limits Starlark, see StarlarkOptions.
	MaxSteps uint64
	// Print receives each line that a program prints; nil drops it.
	Print func(line string)
}

// ToYAML gives the Drone YAML for a configuration file of any format, as Run
// does. What a program prints is dropped.
func ToYAML(ctx context.Context, name string, source []byte, build compile.Build) ([]byte, error) {
	return Run(ctx, name, source, Options{Build: build})
}

// Run gives the Drone YAML for a configuration file of any format; Drone YAML
// comes back unchanged. name is the path of the file: its extension tells the
// format, imports are found relative to it, and errors name it.
//
// What programs make becomes one document for an object and one for each
// element of a list. Documents are written as JSON, because substitution works
// on the text and would give another result on YAML in another style than the
// server's; only blanks between values differ. Keys of Jsonnet are sorted, those
// of Starlark are in the order the program put them.
//
// The error is an *Error, or the cause of the end of ctx.
func Run(ctx context.Context, name string, source []byte, opts Options) ([]byte, error) {
	var documents []string
	var err error
	switch format := Detect(name, source); format {
	case FormatJsonnet:
		vars := Variables(opts.Build, name)
		maps.Copy(vars, opts.ExtVars)
		documents, err = Jsonnet(ctx, name, source, JsonnetOptions{
			ExtVars: vars, Paths: append([]string{filepath.Dir(name)}, opts.Paths...), Within: opts.Within, Print: opts.Print,
		})
	case FormatStarlark:
		documents, err = Starlark(ctx, name, source, StarlarkOptions{
			Build: opts.Build, MaxSteps: opts.MaxSteps, Print: opts.Print,
		})
	case FormatTemplate:
		return nil, templateError(name, source)
	case FormatLegacy04, FormatLegacy08:
		return nil, legacyError(name, source, format)
	default:
		return source, nil
	}
	if err != nil {
		return nil, err
	}
	return Join(documents), nil
}

// Join makes a stream out of documents, each after a --- line.
func Join(documents []string) []byte {
	var b strings.Builder
	for _, d := range documents {
		b.WriteString("---\n")
		b.WriteString(strings.TrimRight(d, "\n"))
		b.WriteString("\n")
	}
	return []byte(b.String())
}
