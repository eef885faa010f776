package dockerhost

import (
	"bytes"
	"testing"

	dcontext "github.com/docker/cli/cli/context"
	"github.com/google/go-cmp/cmp"
)

func TestHandover(t *testing.T) {
	for _, want := range []Endpoint{
		{Host: "unix:///x", Source: "DOCKER_HOST"},
		{Host: "tcp://h:2376", Source: `context "c"`, Context: "c", skip: true,
			tls: &dcontext.TLSData{CA: []byte("ca\n"), Cert: []byte("cert\n"), Key: []byte("key\n")}},
	} {
		text, err := want.Handover()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(text, '\n') {
			t.Errorf("it is more than one line: %q", text)
		}
		got, err := HandedOver(text)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Endpoint{})); diff != "" || err != nil {
			t.Errorf("error %v, -want +got:\n%s", err, diff)
		}
	}
}
