package viewer

import (
	"fmt"
	"strings"
	"testing"
)

// TestKeysPage compares the page of the documentation with the table.
func TestKeysPage(t *testing.T) { golden(t, "../../docs/keys.md", keysMarkdown()) }

// keysMarkdown is the page about the keys (docs/keys.md).
func keysMarkdown() string {
	var b strings.Builder
	b.WriteString("# Keys of the full-screen view\n\n" +
		"On a terminal `drone exec`, `drone log` and `drone watch` show these with `?`. All are made from one table. See [output](output.md#the-whole-screen).\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| Key | In | Does | The same from the command line |\n|---|---|---|---|\n", g.name)
		for _, k := range g.bindings {
			same := ""
			if k.same != "" {
				same = "`" + k.same + "`"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", markdownKeys(k.shown), placeName(k.where), k.long, same)
		}
	}
	b.WriteString(buildKeysMarkdown())
	return b.String()
}

// buildKeysMarkdown is the part of the page about keys that is about the list.
func buildKeysMarkdown() string {
	var b strings.Builder
	b.WriteString("\n## The list of builds\n\n`drone watch` begins with it.\n\n| Key | Does | The same from the command line |\n|---|---|---|\n")
	for _, k := range buildsKeys {
		same := ""
		if k.same != "" {
			same = "`" + k.same + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", markdownKeys(k.shown), k.long, same)
	}
	return b.String()
}

func markdownKeys(shown string) string {
	keys := strings.Fields(shown)
	for i, k := range keys {
		keys[i] = "`" + k + "`"
	}
	return strings.Join(keys, " ")
}
