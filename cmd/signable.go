package cmd

import (
	"errors"
	"fmt"

	"github.com/drone-laptop/drone/convert"
	"github.com/drone-laptop/drone/sign"
)

// readSignable reads a configuration file that a server can verify.
func readSignable(s Streams, path string) (name string, text *sign.Text, source []byte, err error) {
	name, source, err = readSource(s, namedOrDefault(path))
	if err == nil {
		text, err = parseSignable(name, source)
	}
	return name, text, source, err
}

// parseSignable takes a file apart that a server can verify.
func parseSignable(name string, source []byte) (*sign.Text, error) {
	if err := generatedFailure(name, source); err != nil {
		return nil, err
	}
	text, err := sign.Parse(source)
	if wrong, ok := errors.AsType[*sign.TextError](err); ok {
		return nil, usage(fmt.Errorf("%s:%d: %s", name, wrong.Line, wrong.Message), wrong.Hint)
	}
	return text, err
}

// generatedFailure refuses a file that a server turns into another one before it
// looks for a signature (reference I5): what it verifies is then not this file,
// and has no signature.
func generatedFailure(name string, source []byte) error {
	format := convert.Detect(name, source)
	if format == convert.FormatDrone && convert.Upstream(source) {
		format = convert.FormatLegacy08 // whatever kinds its documents have
	}
	var what, hint string
	switch format {
	case convert.FormatDrone:
		return nil
	case convert.FormatJsonnet:
		what = "a Jsonnet program: a server runs it for each build and looks for the signature in what it makes"
		hint = "commit what it makes, with `drone jsonnet`, and sign that"
	case convert.FormatStarlark:
		what = "a Starlark program: a server runs it for each build and looks for the signature in what it makes"
		hint = "commit what it makes, with `drone starlark`, and sign that"
	case convert.FormatTemplate:
		what = "filled in from a template: a server looks for the signature in what the template makes"
		hint = "commit what it makes, with `drone render`, and sign that"
	default:
		what = "for an old version of Drone: a server converts it, which drops the signature, before it looks for one"
		hint = "`drone convert` rewrites it; sign the result"
	}
	return &failure{
		status: StatusFailed, hint: hint + "; else every build of a protected repository waits to be approved",
		err: &generatedError{fmt.Sprintf("%s cannot be signed, it is %s", name, what)},
	}
}

// generatedError is a file that cannot have a signature.
type generatedError struct{ text string }

func (e *generatedError) Error() string { return e.text }
