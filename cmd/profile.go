package cmd

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// profiles are files about the program itself, for those who work on it. They
// are written however a command ends, unless a signal ends the program before
// it has made anything.
type profiles struct {
	cpu, memory, trace string

	stops []func() error
}

// register adds the flags, which no help shows.
func (p *profiles) register(flags *pflag.FlagSet) {
	flags.StringVar(&p.cpu, "cpuprofile", "", "`file` for where the processor's time goes")
	flags.StringVar(&p.memory, "memprofile", "", "`file` for what was allocated, and where")
	flags.StringVar(&p.trace, "trace", "", "`file` for a trace of the execution")
	for _, name := range []string{"cpuprofile", "memprofile", "trace"} {
		flags.Lookup(name).Hidden = true
	}
}

// start begins what was asked for, as cobra calls it before a command.
func (p *profiles) start(*cobra.Command, []string) error {
	err := errors.Join(
		p.into("--cpuprofile", p.cpu, func(f *os.File) error { return pprof.StartCPUProfile(f) },
			func(*os.File) error { pprof.StopCPUProfile(); return nil }),
		p.into("--trace", p.trace, func(f *os.File) error { return trace.Start(f) },
			func(*os.File) error { trace.Stop(); return nil }),
		p.into("--memprofile", p.memory, func(*os.File) error { return nil }, writeHeap),
	)
	if err != nil {
		return usage(err, "")
	}
	return nil
}

// into has begin write to the file of a flag until the end, when end does.
func (p *profiles) into(flag, path string, begin, end func(*os.File) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	if err := begin(f); err != nil {
		return fmt.Errorf("%s: %w", flag, errors.Join(err, f.Close()))
	}
	p.stops = append(p.stops, func() error {
		if err := errors.Join(end(f), f.Close()); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		return nil
	})
	return nil
}

// writeHeap writes all that was allocated since the start, and what is left.
func writeHeap(f *os.File) error {
	runtime.GC() // so that what is in use is up to date
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

// stop completes the files. err is how the command ended, and stays what the
// program says unless there is nothing else to say.
func (p *profiles) stop(s Streams, err error) error {
	var failed error
	for _, stop := range p.stops {
		failed = errors.Join(failed, stop())
	}
	p.stops = nil
	switch {
	case failed == nil:
		return err
	case err != nil:
		s.warn(failed.Error())
		return err
	}
	return &failure{status: StatusFailed, err: failed}
}
