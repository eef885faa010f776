package fileowner

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// request is what a Client asks of Serve: one JSON value.
type request struct {
	To    Owner   `json:"to"`
	Files []entry `json:"files"`
}

// entry is a File in a request. A path need not be text, so it is bytes.
type entry struct {
	Path      []byte `json:"p"`
	Inode     uint64 `json:"i"`
	KeepGroup bool   `json:"g,omitempty"`
}

// answer is what Serve says to each request.
type answer struct {
	Error string `json:"error,omitempty"` // of the first file that failed
}

// Client asks a helper that runs Serve. It is for one goroutine.
type Client struct {
	to  Owner
	in  *json.Decoder
	out *json.Encoder
}

// NewClient returns a client of the helper that reads from out and writes to
// in, which gives files to an owner.
func NewClient(to Owner, in io.Reader, out io.Writer) *Client {
	return &Client{to: to, in: json.NewDecoder(in), out: json.NewEncoder(out)}
}

// Give has the helper change the owners of files. The error is that of the
// first file that failed, or that of the connection.
func (c *Client) Give(files []File) error {
	ask := request{To: c.to, Files: make([]entry, len(files))}
	for i, f := range files {
		ask.Files[i] = entry{[]byte(f.Path), f.Inode, f.KeepGroup}
	}
	if err := c.out.Encode(ask); err != nil {
		return fmt.Errorf("cannot ask the helper: %w", err)
	}
	var said answer
	if err := c.in.Decode(&said); err != nil {
		return fmt.Errorf("the helper has not answered: %w", err)
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// Serve changes owners below dir, as a Client asks on in, until in ends. It
// runs where root has the rights for that, such as in a container; the owners
// that it is asked for are numbers of the machine outside.
func Serve(dir string, in io.Reader, out io.Writer) error {
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var ask request
		if err := requests.Decode(&ask); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("cannot read what to do: %w", err)
		}
		var said answer
		if err := serve(dir, ask); err != nil {
			said.Error = err.Error()
		}
		if err := answers.Encode(said); err != nil {
			return fmt.Errorf("cannot answer: %w", err)
		}
	}
}

func serve(dir string, ask request) error {
	to, err := inside(ask.To)
	if err != nil {
		return err
	}
	files := make([]File, len(ask.Files))
	for i, e := range ask.Files {
		files[i] = File{Path: string(e.Path), Inode: e.Inode, KeepGroup: e.KeepGroup}
	}
	return Give(dir, files, to)
}

// inside translates an owner to the numbers of the user namespace that this
// process is in: in a rootless engine, the one who runs it is root there.
func inside(to Owner) (Owner, error) {
	uid, err := translate("/proc/self/uid_map", to.UID)
	if err != nil {
		return Owner{}, err
	}
	gid, err := translate("/proc/self/gid_map", to.GID)
	return Owner{UID: uid, GID: gid}, err
}

func translate(file string, id int) (int, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return id, nil // no such thing here
	}
	if err != nil {
		return 0, fmt.Errorf("cannot translate the owner: %w", err)
	}
	return translateBy(string(text), id)
}

// translateBy reads lines of three numbers: the first one inside, the first
// one outside, and how many follow each other.
func translateBy(table string, id int) (int, error) {
	for line := range strings.Lines(table) {
		var in, out, count int
		if _, err := fmt.Sscan(line, &in, &out, &count); err == nil && id >= out && id-out < count {
			return in + id - out, nil
		}
	}
	return 0, fmt.Errorf("the engine's containers cannot have files of the owner %d", id)
}
