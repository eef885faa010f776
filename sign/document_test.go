package sign_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/drone-laptop/drone/manifest"
	"github.com/drone-laptop/drone/sign"
)

const documentKey = "0123456789abcdefghijklmnopqrstuv"

// readers read a document as different programs do.
var readers = map[string]func(t *testing.T, text string) (name, data string){
	"yaml.v3": func(t *testing.T, text string) (string, string) {
		t.Helper()
		var doc struct{ Kind, Name, Data any }
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		name, ok := doc.Name.(string)
		data, isText := doc.Data.(string)
		if doc.Kind != "secret" || !ok || !isText {
			t.Errorf("read as %#v from %s", doc, text)
		}
		return name, data
	},
	"manifest": func(t *testing.T, text string) (string, string) {
		t.Helper()
		file, problems := manifest.Parse("x.yml", []byte(text), nil)
		if len(problems) > 0 || len(file.Documents) != 1 || file.Documents[0].Secret == nil {
			t.Fatalf("%+v in %s", problems, text)
		}
		secret := file.Documents[0].Secret
		return secret.Name.Value, secret.Data.Value
	},
}

// asServer decodes base64 as a server does, to which line ends mean nothing, and
// blanks do.
func asServer(t *testing.T, data string) string {
	t.Helper()
	plain, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Errorf("no server decodes %q: %v", data, err)
	}
	return base64.StdEncoding.EncodeToString(plain)
}

func checkDocument(t *testing.T, name, data string) {
	t.Helper()
	text, err := sign.SecretDocument(name, data)
	if err != nil {
		t.Fatalf("%q: %v", name, err)
	}
	for reader, read := range readers {
		// Alone, with the line ends of Windows, and between others.
		for _, form := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.TrimPrefix(text, "---\n")} {
			gotName, gotData := read(t, form)
			if gotName != name || asServer(t, gotData) != data {
				t.Errorf("%s reads %q and %q from %s, want %q and %s", reader, gotName, gotData, form, name, data)
			}
		}
	}
	if !strings.HasPrefix(text, "---\nkind: secret\n") || !strings.HasSuffix(text, "\n") {
		t.Errorf("not ready to be pasted: %q", text)
	}
	for line := range strings.Lines(text) {
		if len(line) > 120 && !strings.HasPrefix(line, "name:") {
			t.Errorf("a line of %d characters", len(line))
		}
	}
}

func TestSecretDocument(t *testing.T) {
	for n := range 200 {
		data, err := sign.EncryptSecret([]byte(documentKey), bytes.Repeat([]byte("x"), n), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		checkDocument(t, "token", data)
	}
	large, err := sign.EncryptSecret([]byte(documentKey), make([]byte, 100<<10), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	checkDocument(t, "token", large)
	// Base64 that looks like something else, and names that do.
	for _, data := range []string{
		strings.Repeat("1", 40), strings.Repeat("1", 38) + "e5", "+" + strings.Repeat("1", 39), strings.Repeat("/", 40),
		strings.Repeat("+", 40), "1" + strings.Repeat("e", 39), strings.Repeat("0", 39) + "/", strings.Repeat("A", 38) + "==", "0x" + strings.Repeat("1", 38),
		"0b" + strings.Repeat("1", 38), "0o" + strings.Repeat("7", 38),
	} {
		checkDocument(t, "token", data)
	}
	data := strings.Repeat("A", 40)
	for _, name := range []string{
		"a", "docker_password", "true", "yes", "on", "n", "null", "~", "1", "1.10", "1e5", "0x1", "0o7", "2001-01-01", "1:30", "a: b", "a #b", "#a",
		"- a", "-", "*a", "&a", "!a", "|", ">", "'", `"`, "{a}", "[a]", "a/b", "@a", "`a", "%a", ".dockerconfigjson", " a ", "ä 你好", "=", "<<", "?", ":", "---", "...",
	} {
		checkDocument(t, name, data)
	}
	for _, name := range []string{"", "a\nb", "a\tb", "\x00", "\xff"} {
		if text, err := sign.SecretDocument(name, data); err == nil {
			t.Errorf("%q is a name: %s", name, text)
		}
	}
}

// FuzzSecretDocument: whatever the name and the value, both come back.
func FuzzSecretDocument(f *testing.F) {
	f.Add("token", []byte("correct-horse-battery-staple"))
	f.Add("1e5", []byte(strings.Repeat("x", 500)))
	f.Fuzz(func(t *testing.T, name string, value []byte) {
		data, err := sign.EncryptSecret([]byte(documentKey), value, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text, err := sign.SecretDocument(name, data)
		if err != nil {
			return
		}
		for reader, read := range readers {
			gotName, gotData := read(t, text)
			got, err := sign.DecryptSecret([]byte(documentKey), gotData)
			if err != nil || gotName != name || !bytes.Equal(got, value) {
				t.Errorf("%s reads %q and %q, %v from %s", reader, gotName, got, err, text)
			}
		}
	})
}
