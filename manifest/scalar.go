package manifest

import (
	"encoding/base64"
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// float matches what YAML 1.1 and the server's decoder take for a float: an
// exponent needs a sign, so 1e3 is text (reference §1.5).
var float = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]+([eE][-+][0-9]+)?$`)

// resolve gives the value of a scalar in a place without a type, as YAML 1.1
// and the server's decoder have it: nil, bool, int64, uint64, float64 or
// string. It works on the text of the scalar because the YAML library follows
// YAML 1.2, in which yes is text and 0755 is 755. ok is false when the text
// does not fit an explicit tag.
func resolve(n *yaml.Node) (value any, ok bool) {
	if n.Style&yaml.TaggedStyle != 0 {
		return resolveTagged(n.ShortTag(), n.Value)
	}
	if n.Style != 0 {
		return n.Value, true
	}
	return resolvePlain(n.Value), true
}

func resolveTagged(tag, s string) (any, bool) {
	switch tag {
	case "!!binary":
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
		return string(data), err == nil
	case "!!null":
		return nil, true
	case "!!bool":
		v, ok := resolvePlain(s).(bool)
		return v, ok
	case "!!int":
		switch v := resolvePlain(s).(type) {
		case int64, uint64:
			return v, true
		}
		return s, false
	case "!!float":
		switch v := resolvePlain(s).(type) {
		case float64:
			return v, true
		case int64:
			return float64(v), true
		}
		return s, false
	}
	return s, true
}

func resolvePlain(s string) any {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return nil
	case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON":
		return true
	case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF":
		return false
	case ".nan", ".NaN", ".NAN":
		return math.NaN()
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1)
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1)
	}
	switch c := s[0]; {
	case c == '.':
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	case c >= '0' && c <= '9', c == '+', c == '-':
		return resolveNumber(s)
	}
	return s
}

// resolveNumber resolves text that starts like a number. An integer beyond 64
// bits stays text, for the server passes on its digits (reference §2.5).
func resolveNumber(s string) any {
	digits := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(digits, 0, 64); err == nil {
		return u
	}
	if !float.MatchString(digits) {
		return s
	}
	if f, err := strconv.ParseFloat(digits, 64); err == nil && (strings.ContainsAny(digits, ".eE") || math.Abs(f) < math.MaxInt64) {
		return f
	}
	return s
}

// isNull reports whether a node is a YAML null.
func isNull(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode {
		return false
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return n.ShortTag() == "!!null"
	}
	return n.Style == 0 && resolvePlain(n.Value) == nil
}

// isMerge reports whether a key is the merge key; quoted it is an ordinary one.
func isMerge(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "<<" && (n.Style == 0 || n.ShortTag() == "!!merge")
}
