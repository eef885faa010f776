package cmd

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/internal/document"
)

// Build says what the program was built from. Its zero value is a program that
// only knows what Go has recorded.
type Build struct {
	Version string // v1.2.3
	Commit  string // the whole id
	Date    string // of the commit, RFC 3339: two builds of it are the same bytes
}

// completed is b with what the linker was not told taken from what Go has
// recorded in this program, which is read only when that is needed.
func (b Build) completed() Build {
	if b.Version != "" && b.Commit != "" && b.Date != "" {
		return b
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return b.with(info)
	}
	return b.with(&debug.BuildInfo{})
}

func (b Build) with(info *debug.BuildInfo) Build {
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = "(devel)"
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && b.Commit == "":
			b.Commit = s.Value
		case s.Key == "vcs.time" && b.Date == "":
			b.Date = s.Value
		}
	}
	return b
}

func newVersion(s Streams, build Build) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "print the version, and what it was built from",
		Long: "version prints the version, the commit and its date, and the Go and the machine that\n" +
			"this program was built with and for. What is not known is left out as text, and\n" +
			"empty as JSON. `drone --version` prints the version alone.",
		Example: "  drone version\n  drone version --output json",
		Args:    maxArgs(0),
	}
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(*cobra.Command, []string) error { return runVersion(s, build, output.value) }
	return c
}

// versionView is the JSON of a version.
type versionView struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Date    string `json:"date"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func runVersion(s Streams, build Build, form string) error {
	if form == "json" {
		return document.JSON(s.Out, versionView{build.Version, build.Commit, build.Date, runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	fmt.Fprintf(s.Out, "drone %s\n", build.Version)
	if build.Commit != "" {
		fmt.Fprintf(s.Out, "commit   %s\n", build.Commit)
	}
	if build.Date != "" {
		fmt.Fprintf(s.Out, "date     %s\n", build.Date)
	}
	fmt.Fprintf(s.Out, "go       %s\nplatform %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
