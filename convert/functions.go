package convert

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"gopkg.in/yaml.v3"
)

// newFunctions are in the library that servers take their functions from, but
// not in the version of it that those of today have.
var newFunctions = []string{"append", "indent", "nindent", "prepend", "toYaml"}

// Functions are those of YAML templates, with the names, the order of arguments
// and the results that they have on a server: most take any plain value for a
// text. Those that read files and the environment are not there, as on a server.
// now is the time that a template is told; times are those of UTC, where servers
// mostly are.
func Functions(now time.Time) template.FuncMap {
	return template.FuncMap{
		"append": func(s, tail any) (string, error) {
			return with2(s, tail, func(s, tail string) (string, error) { return s + tail, nil })
		},
		"base64Decode": with(func(s string) (string, error) {
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}),
		"base64Encode": with(sure(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })),
		"chomp":        with(sure(func(s string) string { return strings.TrimRight(s, "\r\n") })),
		"contains": func(s, part any) (bool, error) {
			return with2(s, part, func(s, part string) (bool, error) { return strings.Contains(s, part), nil })
		},
		"containsAny": func(s, chars any) (bool, error) {
			return with2(s, chars, func(s, chars string) (bool, error) { return strings.ContainsAny(s, chars), nil })
		},
		"dateFormat": func(layout string, v any) (string, error) {
			t, err := timeOf(v)
			if err != nil {
				return "", err
			}
			return t.Format(layout), nil
		},
		"hasPrefix": func(s any, prefix string) (bool, error) {
			return with(func(s string) (bool, error) { return strings.HasPrefix(s, prefix), nil })(s)
		},
		"hasSuffix": func(s any, suffix string) (bool, error) {
			return with(func(s string) (bool, error) { return strings.HasSuffix(s, suffix), nil })(s)
		},
		"htmlEscape":   with(sure(html.EscapeString)),
		"htmlUnescape": with(sure(html.UnescapeString)),
		"indent":       indent,
		"jsonify": func(v any) (string, error) {
			b, err := json.Marshal(v) // with <, > and & as escapes
			return string(b), err
		},
		"lower":   with(sure(strings.ToLower)),
		"md5":     with(sure(func(s string) string { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) })),
		"nindent": func(s any, n int) (string, error) { text, err := indent(s, n); return "\n" + text, err },
		"now":     func() time.Time { return now.UTC().Round(0) },
		"padLeft": func(s, padding any, n int) (string, error) {
			return with2(s, padding, func(s, padding string) (string, error) {
				pad, err := repeat(padding, n)
				return pad + s, err
			})
		},
		"padRight": func(s, padding any, n int) (string, error) {
			return with2(s, padding, func(s, padding string) (string, error) {
				pad, err := repeat(padding, n)
				return s + pad, err
			})
		},
		"prepend": func(s, head any) (string, error) {
			return with2(s, head, func(s, head string) (string, error) { return head + s, nil })
		},
		"replace": replace,
		"sha1":    with(sure(func(s string) string { sum := sha1.Sum([]byte(s)); return hex.EncodeToString(sum[:]) })),
		"sha256":  with(sure(func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) })),
		"split": func(s any, sep string) ([]string, error) {
			return with(func(s string) ([]string, error) { return strings.Split(s, sep), nil })(s)
		},
		"splitn": func(s any, sep string, n int) ([]string, error) {
			return with(func(s string) ([]string, error) { return strings.SplitN(s, sep, n), nil })(s)
		},
		"time":  func(v any) (any, error) { return timeOf(v) },
		"title": with(sure(strings.ToTitle)), // every letter, as on a server
		"toYaml": func(v any) (string, error) {
			b, err := yaml.Marshal(v)
			return strings.TrimSuffix(string(b), "\n"), err
		},
		"trim": with(sure(strings.TrimSpace)),
		"trimLeft": func(s any, cut string) (string, error) {
			return with(sure(func(s string) string { return strings.TrimLeft(s, cut) }))(s)
		},
		"trimPrefix": func(s any, prefix string) (string, error) {
			return with(sure(func(s string) string { return strings.TrimPrefix(s, prefix) }))(s)
		},
		"trimRight": func(s any, cut string) (string, error) {
			return with(sure(func(s string) string { return strings.TrimRight(s, cut) }))(s)
		},
		"trimSuffix": func(s any, suffix string) (string, error) {
			return with(sure(func(s string) string { return strings.TrimSuffix(s, suffix) }))(s)
		},
		"upper": with(sure(strings.ToUpper)),
		"urlize": with(sure(func(s string) string {
			return url.QueryEscape(strings.ReplaceAll(strings.TrimSpace(s), " ", "-"))
		})),
	}
}

func functionNames() string {
	return strings.Join(slices.Sorted(maps.Keys(Functions(time.Time{}))), ", ")
}

// with gives a function of a text any plain value.
func with[T any](f func(string) (T, error)) func(any) (T, error) {
	return func(v any) (T, error) {
		s, err := textOf(v)
		if err != nil {
			var none T
			return none, err
		}
		return f(s)
	}
}

func with2[T any](v, w any, f func(v, w string) (T, error)) (T, error) {
	return with(func(v string) (T, error) {
		return with(func(w string) (T, error) { return f(v, w) })(w)
	})(v)
}

func sure(f func(string) string) func(string) (string, error) {
	return func(s string) (string, error) { return f(s), nil }
}

// textOf is a plain value as text, nothing for none.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		return v.String(), nil
	case []any, []string:
		return "", errors.New("a list is no text")
	case map[string]any, map[string]string:
		return "", errors.New("a map is no text")
	}
	return "", fmt.Errorf("a value of type %T is no text", v)
}

// timeLayouts are the forms in which a text can be a time, the first that fits
// counts.
var timeLayouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", time.RFC1123Z, time.RFC1123, time.RFC822Z, time.RFC822, time.RFC850, time.ANSIC,
	time.UnixDate, time.RubyDate, "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02", "02 Jan 2006",
	"2006-01-02 15:04:05 -07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05",
	time.Kitchen, time.Stamp, time.StampMilli, time.StampMicro, time.StampNano,
}

// timeOf is the time that a value stands for: seconds since 1970, or a text.
func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case time.Time:
		return v, nil
	case int:
		return time.Unix(int64(v), 0).UTC(), nil
	case int64:
		return time.Unix(v, 0).UTC(), nil
	case string:
		for _, layout := range timeLayouts {
			if t, err := time.Parse(layout, v); err == nil {
				return t, nil
			}
		}
		return time.Time{}, fmt.Errorf("%q is no time", v)
	}
	return time.Time{}, fmt.Errorf("%v is no time", v)
}

// maxText is the size of the longest text that a function makes. A template
// cannot be stopped within one.
const maxText = 16 << 20

var errLongText = fmt.Errorf("the text is longer than %d MiB", maxText>>20)

// repeat puts copies of a text behind each other, none for a number below 1.
func repeat(s string, n int) (string, error) {
	if n <= 0 {
		return "", nil
	}
	if len(s) > 0 && n > maxText/len(s) {
		return "", errLongText
	}
	return strings.Repeat(s, n), nil
}

func replace(s, old, fresh any) (string, error) {
	from, err := textOf(old)
	if err != nil {
		return "", err
	}
	return with2(s, fresh, func(s, to string) (string, error) {
		if n := strings.Count(s, from); len(to) > 0 && n > maxText/len(to) {
			return "", errLongText
		}
		return strings.ReplaceAll(s, from, to), nil
	})
}

// indent puts n blanks before every line.
func indent(v any, n int) (string, error) {
	return with(func(s string) (string, error) {
		if n < 0 || n > math.MaxInt16 || (strings.Count(s, "\n")+1)*n > maxText {
			return "", fmt.Errorf("it cannot be indented by %d", n)
		}
		blanks := strings.Repeat(" ", n)
		return blanks + strings.ReplaceAll(s, "\n", "\n"+blanks), nil
	})(v)
}
