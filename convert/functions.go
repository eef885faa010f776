package convert

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"gopkg.in/yaml.v3"
)

// functions are those of YAML templates. Where Go's package strings has one of
// that name, the order of arguments is the same. Those of the server that read
// files, the environment and the clock are not there: the server leaves them
// out, too.
var functions = template.FuncMap{
	"base64Decode": func(s string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(s)
		return string(b), err
	},
	"base64Encode": func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"chomp":        func(s string) string { return strings.TrimRight(s, "\r\n") },
	"contains":     strings.Contains,
	"containsAny":  strings.ContainsAny,
	"hasPrefix":    strings.HasPrefix,
	"hasSuffix":    strings.HasSuffix,
	"htmlEscape":   html.EscapeString,
	"htmlUnescape": html.UnescapeString,
	"indent":       indent,
	"jsonify": func(v any) (string, error) {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		err := enc.Encode(v)
		return strings.TrimSuffix(b.String(), "\n"), err
	},
	"lower":   strings.ToLower,
	"md5":     func(s string) string { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) },
	"nindent": func(n int, s string) (string, error) { s, err := indent(n, s); return "\n" + s, err },
	"replace": func(s, old, fresh string, n ...int) string {
		if len(n) > 0 {
			return strings.Replace(s, old, fresh, n[0])
		}
		return strings.ReplaceAll(s, old, fresh)
	},
	"sha1":   func(s string) string { sum := sha1.Sum([]byte(s)); return hex.EncodeToString(sum[:]) },
	"sha256": func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) },
	"split":  strings.Split,
	"splitn": strings.SplitN,
	"title":  title,
	"toYaml": func(v any) (string, error) {
		b, err := yaml.Marshal(v)
		return strings.TrimSuffix(string(b), "\n"), err
	},
	"trim": func(s string, cut ...string) string {
		if len(cut) > 0 {
			return strings.Trim(s, cut[0])
		}
		return strings.TrimSpace(s)
	},
	"trimLeft":   strings.TrimLeft,
	"trimPrefix": strings.TrimPrefix,
	"trimRight":  strings.TrimRight,
	"trimSuffix": strings.TrimSuffix,
	"upper":      strings.ToUpper,
	"urlize":     url.QueryEscape,
}

func functionNames() string { return strings.Join(slices.Sorted(maps.Keys(functions)), ", ") }

// maxIndent is more than any file of YAML has.
const maxIndent = 1000

// indent puts n blanks before every line.
func indent(n int, s string) (string, error) {
	if n < 0 || n > maxIndent {
		return "", fmt.Errorf("indent by %d, which is not from 0 to %d", n, maxIndent)
	}
	blanks := strings.Repeat(" ", n)
	return blanks + strings.ReplaceAll(s, "\n", "\n"+blanks), nil
}

// title has every word begin with a capital.
func title(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		starts := unicode.IsSpace(before)
		before = r
		if starts {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}
