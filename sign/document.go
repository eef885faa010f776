package sign

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const (
	// oneLine is the longest base64 that stands on the line of its key: that of a
	// token or password. Longer ones would be broken by editors and mails.
	oneLine = 108
	// blockLine is the length of the lines of a longer one.
	blockLine = 76
)

// SecretDocument writes a document of kind secret, separator and all, with what
// EncryptSecret gives.
//
// data stands on one line, or in a literal block, whose line ends a server
// passes over when it decodes base64. In a folded block or over several lines of
// a plain text there would be blanks, with which it fails (reference J1), and a
// line of 64 KiB would end the file for it (reference I1).
func SecretDocument(name, data string) (string, error) {
	if name == "" || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", errors.New("a secret needs a name, on one line")
	}
	quoted, err := yaml.Marshal(name)
	if err != nil || strings.Count(string(quoted), "\n") != 1 {
		return "", errors.New("the name of the secret cannot be written as YAML")
	}
	var b strings.Builder
	b.WriteString("---\nkind: secret\nname: " + string(quoted) + "data: ")
	if len(data) <= oneLine {
		b.WriteString(scalar(data) + "\n")
		return b.String(), nil
	}
	b.WriteString("|-\n")
	for len(data) > 0 {
		line := data[:min(blockLine, len(data))]
		data = data[len(line):]
		b.WriteString("  " + line + "\n")
	}
	return b.String(), nil
}

// scalar quotes base64 that could be read as a number of some form.
func scalar(data string) string {
	if strings.Trim(data, "0123456789abcdefABCDEFxXoO+") == "" {
		return `"` + data + `"`
	}
	return data
}
