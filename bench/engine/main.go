// Command engine measures what a container engine needs for the pieces that a
// step is made of: to create a container, to start it, to end it, to remove it,
// one at a time and several at once, with other networks, log drivers and
// options, and how much of that the processors work:
//
//	go run ./bench/engine [-n ROUNDS] [-at 1,2,4,10] [-only NAME,...]
//
// A number is the time from the first request to the last answer, divided by
// the number of containers. In brackets is the time that the processors of the
// machine were busy meanwhile, with whatever it was, also for each container:
// that divided by their number is what no order of the requests can go below.
// Nothing else should run then.
//
// It needs a Docker engine and the images of `make images`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/docker/docker/client"
)

type options struct {
	rounds int
	at     []int
	only   []string
	image  string
	busy   clock
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
		fmt.Fprintf(os.Stderr, "engine: error: %v\n", err)
		os.Exit(1)
	}
}

func interruptible(opts options) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, opts, os.Stdout)
}

func parseFlags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("engine", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.rounds, "n", 5, "rounds to measure, after one that is not counted")
	at := f.String("at", "1,2,4,10", "how many containers at once, separated by commas")
	only := f.String("only", "", "variants to measure, separated by commas: "+strings.Join(names(variants()), ","))
	f.StringVar(&o.image, "image", "drone-laptop/busybox:test", "image with cat that is present")
	f.StringVar((*string)(&o.busy), "cgroup", "", "directory of the control group of an engine of its own, whose work alone is counted")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	err := o.set(*at, *only)
	if err == nil && (f.NArg() > 0 || o.rounds < 1) {
		err = errors.New("it takes flags only, and -n of at least 1")
	}
	if err != nil {
		fmt.Fprintln(stderr, "engine: error:", err)
	}
	return o, err
}

func (o *options) set(at, only string) error {
	for text := range strings.SplitSeq(at, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return fmt.Errorf("%q is no number of containers", text)
		}
		o.at = append(o.at, n)
	}
	if only == "" {
		return nil
	}
	for name := range strings.SplitSeq(only, ",") {
		if !slices.Contains(names(variants()), name) {
			return fmt.Errorf("no variant named %q, there are %s", name, strings.Join(names(variants()), ", "))
		}
		o.only = append(o.only, name)
	}
	return nil
}

// run measures all variants in turns and prints the medians.
func run(ctx context.Context, opts options, out io.Writer) (err error) {
	api, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		return err
	}
	defer api.Close()
	if err := opts.busy.check(); err != nil {
		return err
	}
	l, err := newLab(ctx, api, opts.image, opts.busy)
	defer func() { err = errors.Join(err, l.close()) }()
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(variants(), func(v variant) bool {
		return len(opts.only) > 0 && !slices.Contains(opts.only, v.name)
	})
	found := map[string][]sample{} // by row
	for round := range opts.rounds + 1 {
		for _, n := range opts.at {
			for _, v := range chosen {
				s, err := l.lives(ctx, v, n)
				if err != nil {
					return fmt.Errorf("%s, %d at once: %w", v.name, n, err)
				}
				if round > 0 {
					found[row(v, n)] = append(found[row(v, n)], s)
				}
			}
		}
		s, err := l.network(ctx)
		if err != nil {
			return err
		}
		if round > 0 {
			found["network"] = append(found["network"], s)
		}
	}
	return table(out, chosen, opts.at, found)
}

func row(v variant, n int) string { return fmt.Sprintf("%s/%d", v.name, n) }

// table prints a line for each variant and number, and one for a network.
func table(out io.Writer, chosen []variant, at []int, found map[string][]sample) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "variant\tat once")
	for _, p := range phases {
		fmt.Fprintf(w, "\t%s", p)
	}
	fmt.Fprintln(w, "\tall")
	line := func(name string, n int, samples []sample) {
		fmt.Fprintf(w, "%s\t%d", name, n)
		var total spell
		for i := range phases {
			s := middle(samples, i)
			total.took += s.took
			total.busy += s.busy
			fmt.Fprintf(w, "\t%s", s.text())
		}
		fmt.Fprintf(w, "\t%s\n", total.text())
	}
	for _, v := range chosen {
		for _, n := range at {
			line(v.name, n, found[row(v, n)])
		}
	}
	if s := found["network"]; len(s) > 0 {
		line("(a network)", 1, s)
	}
	return w.Flush()
}

// text is a spell in milliseconds, "-" where there was none.
func (s spell) text() string {
	if s.took == 0 {
		return "-"
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("%.0f (%.0f)", ms(s.took), ms(s.busy))
}

// middle is the median of one phase.
func middle(samples []sample, phase int) spell {
	var took, busy []time.Duration
	for _, s := range samples {
		took, busy = append(took, s[phase].took), append(busy, s[phase].busy)
	}
	slices.Sort(took)
	slices.Sort(busy)
	if len(took) == 0 {
		return spell{}
	}
	return spell{took[len(took)/2], busy[len(busy)/2]}
}
