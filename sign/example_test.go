package sign_test

import (
	"fmt"

	"github.com/drone-laptop/drone/sign"
)

// A file is signed with the key of its repository, as a server does it.
func ExampleText_HMAC() {
	key := []byte("0123456789abcdefghijklmnopqrstuv")
	text, err := sign.Parse([]byte("kind: pipeline\nname: default\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	mac, err := text.HMAC(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, err := text.Saved(mac)
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err = sign.Parse(signed)
	fmt.Println(err, text.Verify(key))
	// Output: <nil> <nil>
}
