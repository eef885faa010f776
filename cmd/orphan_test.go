package cmd_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/drone-laptop/drone/convert"
)

// TestEvaluationAlone: what evaluates a program ends with whoever has asked for
// it, however that ends.
func TestEvaluationAlone(t *testing.T) {
	job, err := json.Marshal(convert.Job{
		Format: convert.FormatStarlark, Name: "a.star", Source: []byte("print('begun')\nx = [i for i in range(1000000000000)]\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(binary, "drone"), "__evaluate")
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	if _, err := stdin.Write(job); err != nil {
		t.Fatal(err)
	}
	var said struct{ Print string }
	if err := json.NewDecoder(stdout).Decode(&said); err != nil || said.Print != "begun" {
		t.Fatalf("it says %q, %v", said.Print, err)
	}
	begun := time.Now()
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Error("it ended well")
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s to end", took)
	}
}
