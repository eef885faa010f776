package schema

import (
	"fmt"
	"strings"

	"github.com/drone-laptop/drone/manifest"
)

// Reference returns a page of documentation of all keys, in Markdown.
func Reference() []byte {
	var b strings.Builder
	b.WriteString(`# Keys of the configuration file

Every key that is read, made from the tables that the parser reads by (` + "`drone schema --output markdown`" + `). ` + "`drone lint`" + `
reports all others. For editors there is [a schema](editors.md).

- **text** is any scalar: its spelling counts, so ` + "`1.10`" + ` stays ` + "`1.10`" + ` and ` + "`yes`" + ` stays ` + "`yes`" + `.
- **true or false** is a boolean of YAML 1.1 without quotes: ` + "`true`, `yes` and `on`" + ` are the same.
- **size** is a number of bytes, or a number with a unit such as ` + "`512m` or `1g`" + `; units are powers of 1024.
- **list of text** is a list even when it has one item.
- A value that is null is as if the key was not there. ` + "`${…}`" + ` may stand wherever a scalar does.
- A document may have keys for anchors, which begin with ` + "`x-` or `.`" + `.

`)
	objects := manifest.Schema()
	for _, o := range objects {
		fmt.Fprintf(&b, "- [%s](#%s)\n", heading(o), anchor(o))
	}
	for _, o := range objects {
		writeObject(&b, o, users(objects, o.Name))
	}
	return []byte(b.String())
}

// user is a key that refers to an object.
type user struct {
	object manifest.Object
	key    string
}

func users(objects []manifest.Object, name string) []user {
	var list []user
	for _, o := range objects {
		for _, k := range o.Keys {
			if k.Of == name {
				list = append(list, user{o, k.Name})
			}
		}
	}
	return list
}

func writeObject(b *strings.Builder, o manifest.Object, users []user) {
	fmt.Fprintf(b, "\n## %s\n\n%s", heading(o), o.Doc)
	switch {
	case o.Kind != "":
		fmt.Fprintf(b, " It also has the keys of [every document](#every-document).")
	case len(users) > 0:
		b.WriteString(" It is the value of " + usage(users) + ".")
	}
	b.WriteString("\n\n| Key | Value | Meaning | Example |\n|---|---|---|---|\n")
	for _, k := range o.Keys {
		fmt.Fprintf(b, "| `%s` | %s | %s | `%s` |\n", k.Name, cell(valueOf(k)), cell(explanation(k)), cell(k.Example))
	}
	writeAdvice(b, "Keys that no runner reads:", o.Ignored)
	writeAdvice(b, "Keys that do not exist, and are often written:", o.Mistakes)
}

// usage lists keys by the object that has them.
func usage(users []user) string {
	var list []string
	for i, u := range users {
		text := "`" + u.key + "`"
		if i+1 == len(users) || users[i+1].object.Name != u.object.Name {
			text += fmt.Sprintf(" of [%s](#%s)", subject(u.object), anchor(u.object))
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func writeAdvice(b *strings.Builder, title string, list []manifest.Advice) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n\n| Key | Instead |\n|---|---|\n", title)
	for _, a := range list {
		instead := "–"
		if a.Text != "" {
			instead = sentence(a.Text)
		}
		fmt.Fprintf(b, "| `%s` | %s |\n", a.Key, cell(instead))
	}
}

// valueOf words the type of a key, with links to the maps in it.
func valueOf(k manifest.Key) string {
	link := func(text string) string { return fmt.Sprintf("[%s](#%s)", text, k.Of) }
	switch k.Type {
	case manifest.TypeObject:
		return link("map")
	case manifest.TypeObjects:
		return "list of " + link("maps")
	case manifest.TypeVariables:
		return "map of text or " + link("secrets")
	case manifest.TypeCondition:
		if k.Of == "" {
			return "pattern or list"
		}
		return "pattern, list or " + link("map")
	}
	return string(k.Type)
}

// explanation is all there is to say about a key.
func explanation(k manifest.Key) string {
	parts := []string{k.Doc}
	if len(k.Values) > 0 && !strings.Contains(k.Doc, "`"+k.Values[0]+"`") {
		text := "One of `" + strings.Join(k.Values, "`, `") + "`"
		if k.Open {
			text += ", or another"
		}
		parts = append(parts, text+".")
	}
	if k.Required {
		parts = append(parts, "**Required.**")
	}
	if k.Default != "" {
		parts = append(parts, "Default: "+k.Default+".")
	}
	if k.Trusted {
		parts = append(parts, "Needs a trusted repository.")
	}
	if k.Only != "" {
		parts = append(parts, "Type "+k.Only+" only.")
	}
	if k.Extension != "" {
		parts = append(parts, "Needs the extension "+k.Extension+" of the server.")
	}
	return strings.Join(parts, " ")
}

// cell makes text fit into a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// heading is the title of the section of an object.
func heading(o manifest.Object) string {
	if o.Name == "document" {
		return "Every document"
	}
	return strings.ToUpper(o.Name[:1]) + o.Name[1:]
}

// subject is the heading inside a sentence.
func subject(o manifest.Object) string {
	if o.Name == "document" {
		return "every document"
	}
	return o.Name
}

// anchor is the name that a section has in links.
func anchor(o manifest.Object) string {
	return strings.ReplaceAll(strings.ToLower(heading(o)), " ", "-")
}
