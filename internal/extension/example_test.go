package extension_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/drone-laptop/drone/internal/extension"
)

// An extension that has nothing to say is no failure of it.
func ExampleClient_Ask() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") == extension.Registry {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		fmt.Fprint(w, `{"data": "s3cret"}`)
	}))
	defer server.Close()
	client := &extension.Client{Endpoint: server.URL, Secret: secret}
	var answer struct{ Data string }
	err := client.Ask(context.Background(), extension.Secret, map[string]string{"path": "docker"}, &answer)
	fmt.Println(answer.Data, err)
	err = client.Ask(context.Background(), extension.Registry, map[string]string{}, &answer)
	fmt.Println(errors.Is(err, extension.ErrNothing))
	// Output:
	// s3cret <nil>
	// true
}
