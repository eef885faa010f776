package convert

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

var (
	// dollars are what Drone 0.5 may have replaced: there was no escape, so a
	// brace after several dollars belongs to the last one.
	dollars = regexp.MustCompile(`\$+(?:\{#?[A-Za-z0-9_]+(?:[^{}$\n]|\$\{[^{}\n]*\})*\})?`)
	part05  = regexp.MustCompile(`^:([0-9]+):([0-9]+)$`)
)

// substituted05 is substituted for Drone 0.5. What several dollars mean today is
// written such that as many are left as there were.
func (l *legacy) substituted05(text string, values map[string]string) (string, *sourceText) {
	var ranges []manifest.Extent
	for _, m := range dollars.FindAllStringIndex(text, -1) {
		if m[1]-m[0] > 1 {
			ranges = append(ranges, manifest.Extent{Start: m[0], End: m[1]})
		}
	}
	return replaceAll(text, ranges, func(e string) (string, bool) {
		rest := strings.TrimLeft(e, "$")
		n := len(e) - len(rest)
		if rest == "" {
			return strings.Repeat("$", 2*n), true
		}
		before, expression := strings.Repeat("$", 2*(n-1)), "$"+rest
		with, _, ok := evaluated05(expression, values)
		if !ok {
			with = expression
		}
		return before + with, ok || n > 1
	})
}

// evaluated05 is evaluated for Drone 0.5, which knew no patterns behind # and %,
// and had nothing left of a part that reaches to the end. What is known of an
// expression that it changed is told.
func evaluated05(expression string, values map[string]string) (with, told string, ok bool) {
	m := expressionName.FindStringSubmatch(expression)
	if m == nil || strings.HasPrefix(expression, "${#") {
		with, ok = evaluated(expression, values)
		return with, "", ok
	}
	value, known := values[m[1]]
	if !known && (m[1] == "DRONE_COMMIT" || m[1] == "DRONE_COMMIT_SHA") {
		value = strings.Repeat("0", 40) // as long as any
	}
	operation := expression[len(m[0]) : len(expression)-1]
	if part := part05.FindStringSubmatch(operation); part != nil {
		from, _ := strconv.Atoi(part[1])
		length, _ := strconv.Atoi(part[2])
		switch end := from + length; {
		case value != "" && (end < from || end >= len(value)):
			return "", "was empty in Drone 0.5, since it reaches to the end", true
		case known:
			return value[from:end], "", true
		case value == "":
			told = "was empty in Drone 0.5 where it reaches to the end"
		}
	}
	for _, cut := range []struct {
		sign string
		trim func(s, affix string) string
	}{{"#", strings.TrimPrefix}, {"%", strings.TrimSuffix}} {
		affix, found := strings.CutPrefix(operation, cut.sign)
		affix = strings.TrimPrefix(affix, cut.sign)
		switch {
		case !found || strings.Contains(affix, "${"):
		case known:
			return cut.trim(value, affix), "", true
		case strings.ContainsAny(affix, `*?[\`):
			return "${" + m[1] + "}", "changed nothing in Drone 0.5, which knew no patterns there", true
		}
	}
	with, ok = evaluated(expression, values)
	return with, told, ok
}

// noteExpressions tells of expressions that meant something else than today.
func (l *legacy) noteExpressions(text string) {
	if l.out.Version != Version05 {
		return
	}
	for _, m := range dollars.FindAllStringIndex(text, -1) {
		e := text[m[0]:m[1]]
		rest := strings.TrimLeft(e, "$")
		if rest == "" {
			continue
		}
		if _, told, _ := evaluated05("$"+rest, nil); told != "" {
			l.note(manifest.Info, l.at.node(m[1]-len(rest)-1), "", "`$%s` %s", rest, told)
		}
	}
}
