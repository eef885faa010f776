package cmd_test

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// serverKey is the secret of octo/hello on the server of the tests, and
// serverToken that of its user.
const (
	serverKey   = "0123456789abcdefghijklmnopqrstuv"
	serverToken = "t0ken-of-octocat"
)

// startServer starts a Drone server that knows one repository, octo/hello, and
// names it as the environment of the script does: server.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: server")
	}
	server := httptest.NewServer(http.HandlerFunc(serveDrone))
	ts.Defer(server.Close)
	ts.Setenv("DRONE_SERVER", server.URL)
	ts.Setenv("DRONE_TOKEN", serverToken)
}

func serveDrone(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/api/") { // as a server does
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<html>") // whoever does not read it misses nothing
		return
	}
	answer := func(status int, key, value string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{key: value}) // as above
	}
	var body struct{ Data string }
	switch {
	case r.Header.Get("Authorization") != "Bearer "+serverToken:
		answer(http.StatusUnauthorized, "message", "Unauthorized")
	case !strings.HasPrefix(r.URL.Path, "/api/repos/octo/hello/"):
		answer(http.StatusNotFound, "message", "Not Found")
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusMethodNotAllowed)
	case json.NewDecoder(r.Body).Decode(&body) != nil:
		answer(http.StatusBadRequest, "message", "Invalid or missing input")
	case strings.HasSuffix(r.URL.Path, "/sign"):
		mac := hmac.New(sha256.New, []byte(serverKey))
		mac.Write(signedLines(body.Data))
		answer(http.StatusOK, "data", hex.EncodeToString(mac.Sum(nil)))
	case strings.HasSuffix(r.URL.Path, "/encrypt/secret"):
		answer(http.StatusOK, "data", encrypted(body.Data))
	default:
		answer(http.StatusNotFound, "message", "Not Found")
	}
}

// encrypted is what a server makes of a value (reference J1). For one it is not
// what was asked for.
func encrypted(value string) string {
	if value == "another" {
		return "AAAA\n---\nkind: pipeline\n"
	}
	block, err := aes.NewCipher([]byte(serverKey))
	if err != nil {
		return err.Error()
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return err.Error()
	}
	nonce := []byte("twelve bytes")
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, []byte(value), nil))
}

// signedLines is what a server signs of the files of the tests, in the words of
// reference I1. It shares no code with package sign.
func signedLines(text string) []byte {
	var all, document bytes.Buffer
	end := func() {
		if !strings.Contains("\n"+document.String(), "\nkind: signature\n") {
			all.Write(document.Bytes())
		}
		document.Reset()
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "...") {
		if strings.HasPrefix(lines.Text(), "---") {
			end()
			continue
		}
		fmt.Fprintln(&document, lines.Text())
	}
	end()
	return all.Bytes()
}
