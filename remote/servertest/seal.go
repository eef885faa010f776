package servertest

import (
	"bufio"
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
)

func (c *call) seal(with func(key, text string) (string, error)) (any, error) {
	var in struct{ Data string }
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	sealed, err := with(c.repo.Key, in.Data)
	if err != nil {
		return nil, err
	}
	return map[string]string{"data": sealed}, nil
}

// encrypt is what a server makes of a value.
func encrypt(key, value string) (string, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return "", err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return "", err
	}
	nonce := []byte("twelve bytes") // the same in each run of a test
	return base64.StdEncoding.EncodeToString(gcm.Seal(nonce, nonce, []byte(value), nil)), nil
}

// sign is what a server signs a file with. It shares no code with package sign, so
// that each is a test of the other.
func sign(key, text string) (string, error) {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(signed(text))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// signed is what counts of a file: its documents, without that of the signature.
func signed(text string) []byte {
	var all, document bytes.Buffer
	end := func() {
		if !strings.Contains("\n"+document.String(), "\nkind: signature\n") {
			all.Write(document.Bytes())
		}
		document.Reset()
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, len(text)+1)
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
