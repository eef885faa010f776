package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// printer writes a Starlark value as JSON. Starlark's own module sorts keys,
// and the order of steps in a dict of the program is worth keeping.
type printer struct {
	out bytes.Buffer
	// open are the values being written, to find one that contains itself.
	open []starlark.Value
}

// printJSON returns the indented text and the size of the text without blanks.
// The error begins with what cannot be written, for example "a function at
// steps[0].image".
func printJSON(v starlark.Value) (text string, size int, err error) {
	var p printer
	if err := p.value(v, ""); err != nil {
		return "", 0, err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, p.out.Bytes(), "", "   "); err != nil {
		return "", 0, fmt.Errorf("a value that is no JSON: %w", err)
	}
	return indented.String(), p.out.Len(), nil
}

func (p *printer) value(v starlark.Value, path string) error {
	switch v := v.(type) {
	case starlark.NoneType:
		p.out.WriteString("null")
	case starlark.Bool:
		fmt.Fprint(&p.out, bool(v))
	case starlark.Int:
		p.out.WriteString(v.String())
	case starlark.Float:
		if math.IsInf(float64(v), 0) || math.IsNaN(float64(v)) {
			return fmt.Errorf("the number %s at %s", v, path)
		}
		fmt.Fprintf(&p.out, "%g", float64(v))
	case starlark.String:
		p.text(string(v))
	case *starlark.Dict:
		return p.nested(v, path, func() error { return p.dict(v, path) })
	case *starlark.List:
		return p.nested(v, path, func() error { return p.list(v, path) })
	case starlark.Tuple: // it is nothing that could contain itself
		p.open = append(p.open, nil)
		defer func() { p.open = p.open[:len(p.open)-1] }()
		if len(p.open) > maxNesting {
			return fmt.Errorf("a tuple that nests deeper than %d", maxNesting)
		}
		return p.list(v, path)
	default:
		return fmt.Errorf("a %s at %s", v.Type(), path)
	}
	return nil
}

func (p *printer) text(s string) {
	encoder := json.NewEncoder(&p.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(s) // strings always can be written
	p.out.Truncate(p.out.Len() - 1)
}

// maxNesting is how deep values may be in each other.
const maxNesting = 1000

// nested writes a value that can contain others, also itself.
func (p *printer) nested(v starlark.Value, path string, write func() error) error {
	if len(p.open) >= maxNesting {
		return fmt.Errorf("a %s that nests deeper than %d", v.Type(), maxNesting)
	}
	if slices.Contains(p.open, v) {
		return fmt.Errorf("a %s at %s that contains itself", v.Type(), path)
	}
	p.open = append(p.open, v)
	defer func() { p.open = p.open[:len(p.open)-1] }()
	return write()
}

func (p *printer) dict(d *starlark.Dict, path string) error {
	p.out.WriteByte('{')
	for i, item := range d.Items() {
		if i > 0 {
			p.out.WriteByte(',')
		}
		key, err := keyText(item[0])
		if err != nil {
			return fmt.Errorf("%w at %s", err, path)
		}
		p.text(key)
		p.out.WriteByte(':')
		if err := p.value(item[1], strings.TrimPrefix(path+"."+key, ".")); err != nil {
			return err
		}
	}
	p.out.WriteByte('}')
	return nil
}

// keyText accepts keys that YAML reads as the same text.
func keyText(key starlark.Value) (string, error) {
	switch key := key.(type) {
	case starlark.String:
		return string(key), nil
	case starlark.Int:
		return key.String(), nil
	case starlark.Bool:
		return fmt.Sprint(bool(key)), nil
	}
	return "", fmt.Errorf("a dict with a %s as key", key.Type())
}

func (p *printer) list(l starlark.Indexable, path string) error {
	p.out.WriteByte('[')
	for i := range l.Len() {
		if i > 0 {
			p.out.WriteByte(',')
		}
		if err := p.value(l.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	p.out.WriteByte(']')
	return nil
}
