package docker

import (
	"encoding/json"
	"errors"
	"io"
	"time"
)

// progressEvery is how often the progress of a pull is reported at most.
const progressEvery = 100 * time.Millisecond

// pullMessage is one message of a pull. Errors arrive as messages too, after
// the request itself has succeeded.
type pullMessage struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Progress struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error       string `json:"error"`
	ErrorDetail *struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
}

func (m pullMessage) failure() error {
	if m.ErrorDetail != nil && m.ErrorDetail.Message != "" {
		return errors.New(m.ErrorDetail.Message)
	}
	if m.Error != "" {
		return errors.New(m.Error)
	}
	return nil
}

// layers sums the downloads of an image.
type layers map[string]struct{ current, total int64 }

// take notes a message and reports whether it changed the sum.
func (l layers) take(m pullMessage) bool {
	layer := l[m.ID]
	switch m.Status {
	case "Downloading":
		if m.Progress.Total > layer.total {
			layer.total = m.Progress.Total
		}
		layer.current = m.Progress.Current
	case "Download complete", "Pull complete":
		layer.current = layer.total
	default:
		return false
	}
	l[m.ID] = layer
	return true
}

func (l layers) sum() (current, total int64) {
	for _, layer := range l {
		current += layer.current
		total += layer.total
	}
	return current, total
}

// readPull reads the messages of a pull to their end and returns the failure
// among them. sums takes the progress of the layers; first is called with the
// first message, tell now and then when they have changed.
func readPull(stream io.Reader, sums layers, first, tell func()) error {
	decoder := json.NewDecoder(stream)
	var reported time.Time
	for n := 0; ; n++ {
		var m pullMessage
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			first()
		}
		if err := m.failure(); err != nil {
			return err
		}
		if sums.take(m) && time.Since(reported) >= progressEvery {
			reported = time.Now()
			tell()
		}
	}
}
