package sign

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// hmacVectors are those of reference I6.
var hmacVectors = []struct{ name, text, message, hmac string }{
	{"T1", "kind: pipeline\nname: default\n", "kind: pipeline\nname: default\n", "72e5422330beb20d208b19cf5f798d08421b87f40a87c86dda9c0dcd89928672"},
	{
		"T2", "---\nkind: pipeline\nname: default\n\nsteps:\n- name: build\n  image: golang\n  commands:\n  - go test\n\n---\nkind: signature\nhmac: 0000\n\n...\n",
		"kind: pipeline\nname: default\n\nsteps:\n- name: build\n  image: golang\n  commands:\n  - go test\n\n",
		"e8cc4f7fabb81f1adf29980e94a2f87376cbfeac802a36866033b40ed83a9e6c",
	},
	{
		"T3", "---\r\nkind: pipeline\r\nname: 流水线\r\n---\r\nkind: secret\r\nname: tok\r\ndata: AAAA\r\n",
		"kind: pipeline\nname: 流水线\nkind: secret\nname: tok\ndata: AAAA\n",
		"2be4273a2f449167ffeff9cc578fc666f1c4680d55d3bec1cd7faba45ac66793",
	},
	{"T4", "# top comment\nkind: pipeline\nname: default", "# top comment\nkind: pipeline\nname: default\n", "de5cf19479d4dd0374a042f5f28cc3044d3ea0d4f763837d7bc2da5bed741fb8"},
	{
		"T5", "--- # x\nkind: pipeline\nname: a\n--- \nkind: pipeline\nname: b\n... end\nkind: pipeline\nname: ignored\n",
		"kind: pipeline\nname: a\nkind: pipeline\nname: b\n", "6100047d08ce8f9237dfd2e8024a392d0b843e282fb793234479bd640b4bda31",
	},
	{"T6", "", "", "572c7461173e8915d1eb42f3968c90f8fa2ab405a385f583eae529683b341180"},
}

func parse(t testing.TB, source string) *Text {
	t.Helper()
	text, err := Parse([]byte(source))
	if err != nil {
		t.Fatalf("%q: %v", source, err)
	}
	return text
}

func signed(t testing.TB, source string) string {
	t.Helper()
	text := parse(t, source)
	hmac, err := text.HMAC([]byte(testKey))
	if err != nil {
		t.Fatal(err)
	}
	saved, err := text.Saved(hmac)
	if err != nil {
		t.Fatal(err)
	}
	return string(saved)
}

func TestHMACVectors(t *testing.T) {
	for _, v := range hmacVectors {
		text := parse(t, v.text)
		if got := string(text.Message()); got != v.message {
			t.Errorf("%s: signed is %q, want %q", v.name, got, v.message)
		}
		if got, err := text.HMAC([]byte(testKey)); err != nil || got != v.hmac {
			t.Errorf("%s: the signature is %s, %v, want %s", v.name, got, err, v.hmac)
		}
		if err := parse(t, signed(t, v.text)).Verify([]byte(testKey)); err != nil {
			t.Errorf("%s: signed, but %v", v.name, err)
		}
	}
}

// TestHMACAsOpenSSL compares with another implementation.
func TestHMACAsOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("there is no openssl, which .ci/run installs: ", err)
	}
	for _, v := range hmacVectors {
		command := exec.Command(openssl, "dgst", "-sha256", "-hmac", testKey, "-r")
		command.Stdin = bytes.NewReader(parse(t, v.text).Message())
		out, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(string(out), " "); got != v.hmac {
			t.Errorf("%s: openssl has %s, want %s", v.name, got, v.hmac)
		}
	}
}

func TestVerify(t *testing.T) {
	t2 := hmacVectors[1]
	good := strings.ReplaceAll(t2.text, "0000", t2.hmac)
	other := "---\nkind: signature\nhmac: " + strings.Repeat("f", 64) + "\n"
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"as signed":             {good, nil},
		"upper case":            {strings.ReplaceAll(good, t2.hmac, strings.ToUpper(t2.hmac)), nil},
		"other line ends":       {strings.ReplaceAll(good, "\n", "\r\n"), nil},
		"signature first":       {"kind: signature\nhmac: " + t2.hmac + "\n" + strings.Split(good, "---\nkind: signature")[0], nil},
		"flow":                  {strings.ReplaceAll(good, "kind: signature\nhmac: "+t2.hmac, "{kind: signature, hmac: "+t2.hmac+"}"), nil},
		"another behind it":     {strings.ReplaceAll(good, "...\n", other), nil},
		"another before it":     {other + good, ErrMismatch},
		"unsigned":              {t2.message, ErrMissing},
		"behind the end":        {t2.message + "...\n---\nkind: signature\nhmac: " + t2.hmac + "\n", ErrMissing},
		"changed":               {strings.ReplaceAll(good, "go test", "go vet"), ErrMismatch},
		"a blank":               {strings.ReplaceAll(good, "go test", "go test "), ErrMismatch},
		"a comment":             {strings.ReplaceAll(good, "go test", "go test # all"), ErrMismatch},
		"short":                 {t2.text, ErrForm},
		"no number":             {strings.ReplaceAll(good, t2.hmac, "x"+t2.hmac[1:]), ErrForm},
		"no hmac":               {strings.ReplaceAll(good, "hmac: "+t2.hmac, "hmac:"), ErrForm},
		"of another shape":      {strings.ReplaceAll(good, t2.hmac, "["+t2.hmac+"]"), ErrForm},
		"text behind the end":   {good + "kind: pipeline\n", nil},
		"documents become one":  {strings.ReplaceAll(good, "\nsteps:", "\n---\nsteps:"), nil}, // reference I1
		"a mark of byte order":  {"\ufeff" + strings.TrimPrefix(good, "---\n"), ErrMismatch},
		"a blank line at start": {"\n" + good, ErrMismatch},
	} {
		if err := parse(t, tc.text).Verify([]byte(testKey)); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if err := parse(t, good).Verify([]byte(strings.ToUpper(testKey))); !errors.Is(err, ErrMismatch) {
		t.Errorf("with another key: %v", err)
	}
	if err := parse(t, good).Verify([]byte(testKey[1:])); !errors.Is(err, ErrKeySize) {
		t.Errorf("with a short key: %v", err)
	}
	if err := parse(t, signed(t, "kind: pipeline\n")).Verify([]byte(testKey)); err != nil {
		t.Error(err)
	}
	if got := parse(t, other+good).Index(t2.hmac); got != 2 {
		t.Errorf("signature %d fits, want 2", got)
	}
}

func TestUnsignable(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		line int
		want string
	}{
		"a long line":       {"kind: pipeline\nname: " + strings.Repeat("x", maxLine-6) + "\n", 2, "64 KiB"},
		"no YAML":           {"kind: pipeline\n---\nname: a\n  x: b: c\n", 4, "no YAML"},
		"no mapping":        {"kind: pipeline\n---\n# what?\n- a\n", 4, "no mapping"},
		"cut by its own":    {"kind: pipeline\nsteps: \"\n--- \"\n", 2, "no YAML"},
		"text, not mapping": {"hello\n", 1, "no mapping"},
		"no UTF-8":          {"kind: \xff\xfe\n", 1, "no YAML"},
	} {
		_, err := Parse([]byte(tc.text))
		var wrong *TextError
		if !errors.As(err, &wrong) || !strings.Contains(wrong.Message, tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
			continue
		}
		if wrong.Line != tc.line {
			t.Errorf("%s: line %d, want %d (%v)", name, wrong.Line, tc.line, wrong)
		}
	}
	longest := "kind: pipeline\nname: " + strings.Repeat("x", maxLine-7) + "\n"
	if _, err := Parse([]byte(longest)); err != nil {
		t.Errorf("the longest line that a server reads: %v", err)
	}
	if _, err := Parse([]byte("kind: pipeline\n...\n" + strings.Repeat("x", 2*maxLine))); err != nil {
		t.Errorf("a long line behind the end: %v", err)
	}
}

func TestSaved(t *testing.T) {
	const (
		pipeline = "kind: pipeline\nname: default\n" // T1
		hmac     = "72e5422330beb20d208b19cf5f798d08421b87f40a87c86dda9c0dcd89928672"
		block    = "---\nkind: signature\nhmac: " + hmac + "\n\n"
	)
	crlf := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	old := strings.Repeat("0", 64)
	for name, tc := range map[string]struct{ text, want string }{
		"unsigned":                {pipeline, pipeline + block + "...\n"},
		"first mark":              {"---\n" + pipeline, "---\n" + pipeline + block + "...\n"},
		"comment on a mark":       {"--- # x\n" + pipeline, "--- # x\n" + pipeline + block + "...\n"},
		"no final newline":        {strings.TrimSuffix(pipeline, "\n"), pipeline + block + "...\n"},
		"CRLF":                    {crlf(pipeline), crlf(pipeline + block + "...\n")},
		"CRLF, no final newline":  {strings.TrimSuffix(crlf(pipeline), "\r\n"), crlf(pipeline + block + "...\n")},
		"half a line end":         {pipeline + "# x\r", ""},
		"an end":                  {pipeline + "...\n", pipeline + block + "...\n"},
		"an end and more":         {pipeline + "... # end\nnothing: here", pipeline + block + "... # end\nnothing: here"},
		"other digits":            {pipeline + "---\nkind: signature\nhmac: " + old + "\n", pipeline + "---\nkind: signature\nhmac: " + hmac + "\n"},
		"quoted, with a comment":  {pipeline + "---\n# ours\nhmac: '" + old + "' # old\nkind: signature", pipeline + "---\n# ours\nhmac: '" + hmac + "' # old\nkind: signature"},
		"CRLF, other digits":      {crlf(pipeline + "---\nkind: signature\nhmac: " + old + "\n\n...\n"), crlf(pipeline + block + "...\n")},
		"no digits":               {pipeline + "---\nkind: signature\nhmac:\n", pipeline + block + "...\n"},
		"flow":                    {pipeline + "---\n{kind: signature, hmac: " + old + "}\n", pipeline + block + "...\n"},
		"signature first":         {"kind: signature\nhmac: " + old + "\n---\n" + pipeline, "---\n" + pipeline + block + "...\n"},
		"signature in the middle": {"kind: pipeline\n---\nkind: signature\nhmac: " + old + "\n--- # b\nname: default\n", "kind: pipeline\n--- # b\nname: default\n" + block + "...\n"},
		"several":                 {pipeline + "---\nkind: signature\nhmac: " + old + "\n---\nkind: signature\nhmac: " + hmac + "\n", pipeline + block + "...\n"},
		"as it is":                {pipeline + "---\nkind: signature\nhmac: " + strings.ToUpper(hmac), pipeline + "---\nkind: signature\nhmac: " + strings.ToUpper(hmac)},
		"empty document behind":   {pipeline + "---\nkind: signature\nhmac: " + old + "\n---\n\n", ""},
	} {
		text := parse(t, tc.text)
		sum := hmac
		if tc.want == "" {
			sum, _ = text.HMAC([]byte(testKey))
		}
		got, err := text.Saved(sum)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if tc.want != "" && string(got) != tc.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, tc.want)
		}
		checkSaved(t, tc.text, string(got))
	}
	if _, err := parse(t, pipeline).Saved("abc"); err == nil {
		t.Error("something else than an HMAC was written")
	}
}

// asServer reads a text as the server does, in the words of reference I1 and with
// none of the code above: with the scanner of the standard library and a decoder
// that stops at nothing. ok is false for documents which that one cannot read,
// such as those with a key twice.
func asServer(source string) (message string, signatures []string, ok bool) {
	ok = true
	var document strings.Builder
	end := func() {
		var head struct{ Kind, Hmac string }
		if err := yaml.Unmarshal([]byte(document.String()), &head); err != nil {
			ok = false
		}
		if head.Kind == "signature" {
			signatures = append(signatures, head.Hmac)
		} else {
			message += document.String()
		}
		document.Reset()
	}
	lines := bufio.NewScanner(strings.NewReader(source))
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "...") {
		if strings.HasPrefix(lines.Text(), "---") {
			end()
			continue
		}
		document.WriteString(lines.Text() + "\n")
	}
	end()
	return message, signatures, ok
}

// checkSaved sees to what is promised of every signed text.
func checkSaved(t testing.TB, before, after string) {
	t.Helper()
	text := parse(t, after)
	if err := text.Verify([]byte(testKey)); err != nil {
		t.Errorf("%q became %q: %v", before, after, err)
	}
	if n := len(text.Signatures()); n != 1 {
		t.Errorf("%q became %q with %d signatures", before, after, n)
	}
	if again := signed(t, after); again != after {
		t.Errorf("%q changed to %q when it was signed again", after, again)
	}
	mac := hmac.New(sha256.New, []byte(testKey))
	message, signatures, ok := asServer(after)
	mac.Write([]byte(message))
	if want := hex.EncodeToString(mac.Sum(nil)); ok && (len(signatures) != 1 || !strings.EqualFold(signatures[0], want)) {
		t.Errorf("%q became %q: a server finds %q and wants %s", before, after, signatures, want)
	}
	if a, b := others(t, before), others(t, after); !strings.HasPrefix(b, a) || strings.Trim(b[len(a):], "\r\n") != "" {
		t.Errorf("more than the signature changed: %q became %q", a, b)
	}
}

// others is a text without its signature documents and what ends it, line ends
// and all.
func others(t testing.TB, source string) string {
	text := parse(t, source)
	var b strings.Builder
	for _, d := range text.documents {
		if !d.signature {
			b.WriteString(source[d.separator:d.end])
		}
	}
	return strings.TrimRight(b.String(), "\r\n")
}

// pieces make files as people and editors write them, and worse.
var pieces = []string{
	"kind: pipeline\n", "name: default\n", "\n", "# comment\n", "---\n", "--- # comment\n", "---\r\n", "--- \n", "...\n", "... end\n",
	"kind: signature\nhmac: 0000\n", "---\nkind: signature\nhmac: " + strings.Repeat("0", 64) + "\n", "---\n{kind: signature, hmac: x}\n",
	"---\nhmac: \"" + strings.Repeat("a", 64) + "\" # mine\nkind: signature\n---\n", "---\r\nkind: signature\r\nhmac: " + strings.Repeat("0", 64) + "\r\n",
	"steps:\n- commands:\n  - |\n    --- x\n    ...\n", "text: |\n  ---\n  kind: signature\n", "name: b\r\n", "environment: {A: 流}\n", " \n", "x: 1",
	"\ufeff", "\t\n", "hmac: 1\n", "\r", "x: 2\r\n\r",
}

func TestSavedLeavesTheRest(t *testing.T) {
	seed := rand.New(rand.NewPCG(1, 2))
	tried := 0
	for range 6_000 {
		var b strings.Builder
		for range 1 + seed.IntN(7) {
			b.WriteString(pieces[seed.IntN(len(pieces))])
		}
		if _, err := Parse([]byte(b.String())); err != nil {
			continue
		}
		tried++
		checkSaved(t, b.String(), signed(t, b.String()))
		if t.Failed() {
			return
		}
	}
	if tried < 1_500 {
		t.Errorf("only %d of the texts could be signed", tried)
	}
}

// FuzzSign signs a text and changes a byte of it: where what the server reads is
// another then, the signature must not be valid, and else it must.
func FuzzSign(f *testing.F) {
	for i, v := range hmacVectors {
		f.Add(v.text, uint(i), byte(' '))
	}
	for i, p := range pieces {
		f.Add("kind: pipeline\n"+p, uint(i*3), p[0])
	}
	f.Fuzz(func(t *testing.T, source string, at uint, to byte) {
		text, err := Parse([]byte(source))
		if err != nil {
			return
		}
		saved := signed(t, source)
		checkSaved(t, source, saved)
		changed := []byte(saved)
		changed[at%uint(len(changed))] = to
		again, err := Parse(changed)
		if err != nil {
			return
		}
		before, after := parse(t, saved).Signatures(), again.Signatures()
		kept := len(after) > 0 && same(before[0].HMAC, after[0].HMAC) && bytes.Equal(text.Message(), again.Message())
		if err := again.Verify([]byte(testKey)); (err == nil) != kept {
			t.Errorf("%q became %q: %v", saved, changed, err)
		}
	})
}

// TestEveryByteCounts changes each byte of a signed file.
func TestEveryByteCounts(t *testing.T) {
	saved := signed(t, "---\nkind: pipeline\nname: a # b\n\nsteps: []\n")
	before, _, _ := strings.Cut(saved, "---\nkind: signature")
	for i := range before {
		if i < len("---\n") {
			continue // separators are not signed
		}
		changed := []byte(saved)
		changed[i] ^= 1
		text, err := Parse(changed)
		if err != nil {
			continue
		}
		if err := text.Verify([]byte(testKey)); err == nil {
			t.Errorf("the signature is valid although byte %d changed: %q", i, changed)
		}
	}
	digits := strings.Index(saved, "hmac: ") + len("hmac: ")
	for i := range 64 {
		changed := []byte(saved)
		changed[digits+i] ^= 1
		if err := parse(t, string(changed)).Verify([]byte(testKey)); err == nil {
			t.Errorf("digit %d does not count", i)
		}
	}
}

func TestSignatures(t *testing.T) {
	text := parse(t, "kind: signature\n---\nkind: pipeline\n---\n# x\nkind: signature\n\nhmac: ab\n")
	want := []Signature{{Line: 1}, {Line: 8, HMAC: "ab"}}
	if got := text.Signatures(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestUnread(t *testing.T) {
	for source, want := range map[string]int{
		"kind: pipeline\n": 0, "kind: pipeline\n...": 0, "kind: pipeline\n...\n\n": 0, "kind: pipeline\n...\nname: a\n": 2,
		"kind: pipeline\n... b\n": 0,
	} {
		if got := parse(t, source).Unread(); got != want {
			t.Errorf("%q: line %d, want %d", source, got, want)
		}
	}
}

// TestCorpus signs real files of other people, which lie beside the project. A
// signature that is there already has the right form, and is replaced in its
// place.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../shared/corpus/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("NO CORPUS: the folder ../shared/corpus with real configuration files is absent")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := parse(t, string(source))
			saved := signed(t, string(source))
			checkSaved(t, string(source), saved)
			if found := text.Signatures(); len(found) > 0 {
				if err := text.Verify([]byte(testKey)); !errors.Is(err, ErrMismatch) {
					t.Errorf("the signature of somebody else's key: %v", err)
				}
				if len(saved) != len(source) {
					t.Errorf("signing it anew changed %d bytes to %d", len(source), len(saved))
				}
			}
		})
	}
}
