package compile

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// settingText encodes a setting as the value of its variable (reference §2.5);
// ok is false for a null, which sets nothing.
func settingText(v manifest.Value) (text string, ok bool) {
	switch any := v.Any.(type) {
	case nil:
		return "", false
	case []manifest.Entry:
		return settingJSON(v), true
	case []manifest.Value:
		items := make([]string, len(any))
		for i, item := range any {
			if !isScalar(item) {
				return settingJSON(v), true
			}
			items[i] = scalarText(item)
		}
		return strings.Join(items, ","), true
	}
	return scalarText(v), true
}

func isScalar(v manifest.Value) bool {
	switch v.Any.(type) {
	case []manifest.Entry, []manifest.Value:
		return false
	}
	return true
}

func scalarText(v manifest.Value) string {
	switch any := v.Any.(type) {
	case nil:
		return ""
	case string:
		return any
	case float64:
		return strconv.FormatFloat(any, 'g', -1, 64)
	}
	return fmt.Sprint(v.Any)
}

func settingJSON(v manifest.Value) string {
	data, err := json.Marshal(plain(v))
	if err != nil {
		// plain leaves only what JSON has; this cannot be reached.
		return ""
	}
	return string(data)
}

// plain turns a value into what encoding/json writes, which sorts keys.
func plain(v manifest.Value) any {
	switch any := v.Any.(type) {
	case []manifest.Value:
		return plainList(any)
	case []manifest.Entry:
		return plainMap(any)
	case float64:
		if math.IsInf(any, 0) || math.IsNaN(any) {
			return scalarText(v)
		}
	}
	return v.Any
}

func plainList(list []manifest.Value) []any {
	out := make([]any, len(list))
	for i, item := range list {
		out[i] = plain(item)
	}
	return out
}

func plainMap(entries []manifest.Entry) map[string]any {
	out := make(map[string]any, len(entries))
	for _, e := range entries {
		out[e.Key.Value] = plain(e.Value)
	}
	return out
}
