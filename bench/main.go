// Command bench measures what drone costs beside `docker run`, doing the same
// work with the same image on the same machine in the same minutes:
//
//	go run ./bench [-n ROUNDS] [-only NAME,...] [-peer NAME=COMMAND]...
//
// Each round runs every subject once, in an order that rotates, so that a
// machine that grows slower does so for all of them. Medians and the ratios
// within rounds are printed, and written as JSON with every sample.
//
// It needs a Docker engine, the docker client and the images of `make images`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	rounds int
	drone  string
	only   string
	image  string
	json   string
	output string
	peers  peerFlags
}

// peerFlags collects -peer NAME=COMMAND.
type peerFlags []peer

type peer struct {
	name string
	argv []string
}

func (p *peerFlags) String() string { return "" }

func (p *peerFlags) Set(text string) error {
	name, command, ok := strings.Cut(text, "=")
	argv := strings.Fields(command)
	if !ok || name == "" || len(argv) == 0 {
		return fmt.Errorf("%q is not NAME=COMMAND", text)
	}
	*p = append(*p, peer{name, argv})
	return nil
}

func main() {
	opts, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		os.Exit(2)
	}
	if err := interruptible(opts); err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
}

// interruptible runs the benchmark until it ends or a signal ends it.
func interruptible(opts options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, opts, os.Stdout, os.Stderr)
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.rounds, "n", 7, "rounds to measure, after one that is not counted")
	f.StringVar(&o.drone, "drone", "", "binary to measure, empty to build one from this tree")
	f.StringVar(&o.only, "only", "", "comparisons to make, separated by commas: "+strings.Join(workloadNames(), ","))
	f.StringVar(&o.image, "image", "drone-laptop/busybox:test", "image with a shell and seq that is present")
	f.StringVar(&o.json, "json", filepath.Join("bench", "latest.json"), "file for the results, empty for none")
	f.StringVar(&o.output, "output", os.DevNull, "file that every subject writes its output to")
	f.Var(&o.peers, "peer", "NAME=COMMAND that runs .drone.yml of its directory, to compare too; repeatable")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 || o.rounds < 1 {
		err := errors.New("bench takes flags only, and -n of at least 1")
		fmt.Fprintln(stderr, "bench: error:", err)
		return o, err
	}
	return o, nil
}

// run builds drone, measures, and reports.
func run(ctx context.Context, opts options, stdout, stderr io.Writer) error {
	loads, err := selectWorkloads(opts.only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "drone-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	drone, err := binary(ctx, opts.drone, dir, stderr)
	if err != nil {
		return err
	}
	sink, err := os.OpenFile(opts.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer sink.Close()

	doc := report{Version: 1, Time: time.Now().UTC(), Rounds: opts.rounds, Machine: describe(ctx, opts.image)}
	for _, load := range loads {
		subjects, err := prepare(dir, load, drone, opts)
		if err != nil {
			return err
		}
		fmt.Fprintf(stderr, "bench: %s, %d rounds\n", load.title, opts.rounds)
		if err := check(ctx, load, subjects); err != nil {
			return err
		}
		samples, err := measure(ctx, subjects, opts.rounds, sink, time.Now)
		if err != nil {
			return err
		}
		doc.Results = append(doc.Results, summarise(load, subjects, samples))
	}
	doc.writeTable(stdout)
	if opts.json == "" {
		return nil
	}
	return doc.writeJSON(opts.json)
}

// binary is the drone to measure: the one given, as an absolute path, or one
// built into dir as a release would be.
func binary(ctx context.Context, given, dir string, stderr io.Writer) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	out := filepath.Join(dir, "drone")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o", out, "./cmd/drone")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cannot build ./cmd/drone, is this the root of the repository: %w", err)
	}
	return out, nil
}
