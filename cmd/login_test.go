package cmd

import "testing"

// TestPlainText names the hosts to which a token would travel readable for
// everybody on the way.
func TestPlainText(t *testing.T) {
	for server, want := range map[string]string{
		"http://drone.example.com":      "drone.example.com",
		"http://drone.example.com:8080": "drone.example.com:8080",
		"http://192.168.1.7":            "192.168.1.7",
		"http://[fe80::1]:80":           "[fe80::1]:80",
		"http://localhost.example.com":  "localhost.example.com",
		"https://drone.example.com":     "",
		"http://localhost:8080":         "",
		"http://drone.localhost":        "",
		"http://127.8.9.1:3000":         "",
		"http://[::1]:3000":             "",
		"http://%zz":                    "",
	} {
		if got := plainText(server); got != want {
			t.Errorf("plainText(%s) is %q, want %q", server, got, want)
		}
	}
}
