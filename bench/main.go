// Command bench measures what drone costs beside `docker run`, doing the same
// work with the same image on the same machine in the same minutes:
//
//	go run ./bench [-n ROUNDS] [-only NAME,...] [-peer NAME=COMMAND]... [-save]
//
// Each round runs every subject once, in an order that rotates, so that a
// machine that grows slower does so for all of them. Medians and the ratios
// within rounds are printed beside what is promised and beside the ratios of an
// earlier run, and written as JSON with every sample. What it measures decides
// nothing: the exit status is that of the measuring.
//
// It needs a Docker engine, the docker client and the images of `make images`.
// Other programs that run pipelines are measured too where they are in PATH.
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

	"github.com/docker/docker/client"
)

type options struct {
	rounds  int
	drone   string
	only    string
	image   string
	json    string
	output  string
	earlier string
	save    bool
	alone   bool
	peers   peerFlags
}

// peerFlags collects -peer NAME=COMMAND.
type peerFlags []peer

func (p *peerFlags) String() string { return "" }

func (p *peerFlags) Set(text string) error {
	name, command, ok := strings.Cut(text, "=")
	argv := strings.Fields(command)
	if !ok || name == "" || len(argv) == 0 {
		return fmt.Errorf("%q is not NAME=COMMAND", text)
	}
	*p = append(*p, peer{name: name, argv: argv})
	return nil
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == insideWord {
		conclude(runInside(context.Background(), os.Args[2:], os.Stdout))
		return
	}
	opts, err := parseFlags(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		os.Exit(2)
	}
	conclude(interruptible(opts))
}

// conclude ends the program when err is set.
func conclude(err error) {
	if err != nil {
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
	f.StringVar(&o.image, "image", "drone-laptop/busybox:test", "image with a shell, seq and adjtimex that is present")
	f.StringVar(&o.json, "json", filepath.Join("bench", "latest.json"), "file for the results, empty for none")
	f.StringVar(&o.output, "output", os.DevNull, "file that every subject writes its output to")
	f.StringVar(&o.earlier, "baseline", filepath.Join("bench", "baseline.json"), "results of an earlier run to compare the ratios with, if the file exists")
	f.BoolVar(&o.save, "save", false, "make the results the ones to compare with later, those of comparisons that are not made kept")
	f.BoolVar(&o.alone, "alone", false, "do not look for other programs in PATH")
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

	earlier, err := readReport(opts.earlier)
	if err != nil {
		return err
	}
	engine, err := connect()
	if err != nil {
		return err
	}
	defer engine.Close()
	b := bench{opts: opts, dir: dir, drone: drone, engine: engine, sink: sink, stderr: stderr}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.peers = opts.peers; !opts.alone {
		b.peers = append(installed(), opts.peers...)
	}
	doc := report{Version: 1, Time: time.Now().UTC(), Rounds: opts.rounds, Machine: describe(ctx, opts.image)}
	for _, load := range loads {
		res, err := b.compare(ctx, load)
		if err != nil {
			return err
		}
		doc.Results = append(doc.Results, res)
	}
	doc.writeTable(stdout, earlier)
	if opts.json != "" {
		if err := doc.writeJSON(opts.json); err != nil {
			return err
		}
	}
	if !opts.save {
		return nil
	}
	return doc.with(earlier).writeJSON(opts.earlier)
}

// bench is what all comparisons of a run share.
type bench struct {
	opts             options
	dir, drone, self string
	peers            []peer
	engine           *client.Client
	sink             *os.File
	stderr           io.Writer
}

// compare makes one comparison.
func (b bench) compare(ctx context.Context, load workload) (result, error) {
	p, err := newPlace(b.dir, load.name, b.drone, b.self, b.opts.image)
	if err != nil {
		return result{}, err
	}
	p.settle = settler(b.engine, p.dir)
	subjects, err := prepare(p, load, b.peers)
	if err != nil {
		return result{}, err
	}
	rounds := load.rounds(b.opts.rounds)
	fmt.Fprintf(b.stderr, "bench: %s, %d rounds\n", load.title, rounds)
	subjects, left, err := check(ctx, load, subjects)
	if err != nil {
		return result{}, err
	}
	for _, why := range left {
		fmt.Fprintf(b.stderr, "bench: left out: %s\n", why)
	}
	readings, err := measure(ctx, subjects, load.read, rounds, b.sink, time.Now)
	if err != nil {
		return result{}, err
	}
	res := summarise(load, subjects, readings)
	res.LeftOut = left
	return res, nil
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
