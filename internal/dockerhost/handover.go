package dockerhost

import (
	"encoding/json"

	dcontext "github.com/docker/cli/cli/context"
)

// handover is an Endpoint on its way to another process.
type handover struct {
	Host    string            `json:"host"`
	Source  string            `json:"source"`
	Context string            `json:"context,omitempty"`
	TLS     *dcontext.TLSData `json:"tls,omitempty"`
	Skip    bool              `json:"skip,omitempty"`
}

// Handover gives an endpoint as one line of text for another process, which
// reaches the same engine with it, whatever has become of variables, contexts
// and files. It may hold the private key of the user: it is for a pipe, and for
// no argument, variable, file or log.
func (e Endpoint) Handover() ([]byte, error) {
	return json.Marshal(handover{e.Host, e.Source, e.Context, e.tls, e.skip})
}

// HandedOver reads what Handover has written.
func HandedOver(text []byte) (Endpoint, error) {
	var h handover
	err := json.Unmarshal(text, &h)
	return Endpoint{Host: h.Host, Source: h.Source, Context: h.Context, tls: h.TLS, skip: h.Skip}, err
}
