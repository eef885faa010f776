package convert

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	intThen   = regexp.MustCompile(`^[-+]?(0x[0-9a-fA-F_]+|0b[01_]+|[0-9][0-9_]*)$`)
	floatThen = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// scalarThen is what Drone made of a scalar before it looked at it: it wrote the
// container as YAML again, with numbers of 32 bits.
func scalarThen(n *yaml.Node) string {
	if n.Style&^yaml.TaggedStyle != 0 || n.Tag == "!!str" && n.Style != 0 {
		return n.Value
	}
	switch n.Value {
	case "", "~", "null", "Null", "NULL":
		return ""
	case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE":
		return "true"
	case "n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE":
		return "false"
	}
	digits := strings.ReplaceAll(n.Value, "_", "")
	if intThen.MatchString(n.Value) {
		if i, err := strconv.ParseInt(digits, 0, 64); err == nil {
			return strconv.FormatInt(i, 10)
		}
	}
	if floatThen.MatchString(n.Value) {
		if f, err := strconv.ParseFloat(digits, 64); err == nil && !math.IsInf(f, 0) {
			squeezed, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', -1, 32), 64)
			if err == nil && !math.IsInf(squeezed, 0) {
				return strconv.FormatFloat(squeezed, 'g', -1, 64)
			}
		}
	}
	return n.Value
}

func isFalse(n *yaml.Node) bool {
	switch strings.ToLower(n.Value) {
	case "false", "no", "off", "n", "0", "f":
		return true
	}
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// isTrue reads a boolean of YAML 1.1.
func isTrue(n *yaml.Node) bool {
	if n == nil || n.Kind != yaml.ScalarNode {
		return false
	}
	switch strings.ToLower(n.Value) {
	case "true", "yes", "on", "y":
		return true
	}
	return false
}
