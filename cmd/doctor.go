package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/drone-laptop/drone/doctor"
	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
	"github.com/drone-laptop/drone/internal/document"
	"github.com/drone-laptop/drone/lint"
	"github.com/drone-laptop/drone/report"
)

func newDoctor(s Streams) *cobra.Command {
	engine := &engineFlags{}
	c := &cobra.Command{
		Use:   "doctor [FILE]",
		Short: "check whether this machine can run pipelines, and say what mends it",
		Long: "doctor checks the engine, its storage, whether containers see this directory and find\n" +
			"names, credential helpers, git, free space, FILE (default .drone.yml) and what killed\n" +
			"runs have left. It pulls nothing, and removes what it makes to try things out. It exits\n" +
			"1 when a check fails, and 3 when that is the engine; warnings do not count.",
		Example: "  drone doctor\n  drone doctor --output json",
		Args:    maxArgs(1),
	}
	engine.register(c.Flags())
	output := addOutput(c.Flags(), "output", "text", "json")
	c.RunE = func(c *cobra.Command, args []string) error {
		return runDoctor(orBackground(c.Context()), s, engine, output.value, args)
	}
	return c
}

func runDoctor(ctx context.Context, s Streams, engine *engineFlags, form string, args []string) error {
	dir, err := currentDir()
	if err != nil {
		return err
	}
	ctx, signals := untilSignal(ctx, endingDoctor(), s.note)
	defer signals.stop()
	checks := []doctor.Check{}
	tell := func(c doctor.Check) {
		if ctx.Err() != nil {
			return // it failed because of that
		}
		checks = append(checks, c)
		if form == "text" {
			writeCheck(s, c)
		}
	}
	config, plan := checkConfig(ctx, s, args)
	tell(config)
	doctor.Run(ctx, doctor.Options{
		Env: dockerhost.Process(), Host: engine.host, Registry: engine.registry,
		Dir: dir, Temp: os.TempDir(), Copies: copiesDir(s.getenv), RunDirs: runDirs(), Images: planImages(plan), Name: outsideName(plan),
		Run: "doctor-" + strings.ToLower(rand.Text()[:10]),
	}, tell)
	if signal, ok := interruption(ctx); ok {
		return &failure{status: signal.status()}
	}
	if form == "json" {
		if err := document.JSON(s.Out, checks); err != nil {
			return err
		}
	}
	return doctorStatus(checks)
}

func endingDoctor() ending {
	const still = "still removing it, this ends by itself"
	return ending{first: "removing what was made to try things out", second: still, further: still}
}

// checkNames is how wide the column of the names is.
const checkNames = 15

func writeCheck(s Streams, c doctor.Check) {
	style, glyph, colour := s.outStyle(), "✔", report.Green
	switch c.Status {
	case doctor.Warn:
		glyph, colour = "!", report.Yellow
	case doctor.Fail:
		glyph, colour = "✘", red
	}
	fmt.Fprintf(s.Out, "%s %s  %-*s  %s\n", style.Paint(colour, glyph), style.Paint(colour, fmt.Sprintf("%-4s", c.Status)), checkNames, c.Name, report.Visible(c.Message))
	if c.Fix != "" {
		fmt.Fprintf(s.Out, "%*s  fix: %s\n", len("✔ ok  ")+checkNames, "", report.Visible(c.Fix))
	}
}

// doctorStatus is the failure that the checks amount to.
func doctorStatus(checks []doctor.Check) error {
	var failed []string
	status := StatusFailed
	for _, c := range checks {
		if c.Status != doctor.Fail {
			continue
		}
		failed = append(failed, c.Name)
		if c.Name == doctor.Endpoint || c.Name == doctor.Engine {
			status = StatusUnreachable
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return &failure{status: status, err: fmt.Errorf("%s failed: %s", report.Plural(len(failed), "check"), strings.Join(failed, ", "))}
}

// checkConfig reads the configuration as a run does, and gives its plan when
// there is one.
func checkConfig(ctx context.Context, s Streams, args []string) (doctor.Check, *planned) {
	quiet := s
	quiet.Err = io.Discard // it is said in the line of the check
	check := doctor.Check{Name: "configuration", Status: doctor.Fail}
	p, err := new(planFlags).load(ctx, quiet, args)
	if err != nil {
		check.Message = err.Error()
		if f, ok := errors.AsType[*failure](err); ok {
			check.Fix = f.hint
		}
		if _, missing := os.Stat(defaultFile); len(args) == 0 && errors.Is(missing, fs.ErrNotExist) {
			check.Status = doctor.Warn
		}
		return check, nil
	}
	n, _, _ := lint.Count(p.problems)
	switch asked := p.refused(); {
	case n > asked:
		check.Message, check.Fix = fmt.Sprintf("%s has %s", p.name, report.Plural(n, "error")), "drone lint "+p.name
	case asked > 0:
		check.Status = doctor.Warn
		check.Message = fmt.Sprintf("%s can be read; it asks for %s that you have not agreed to", p.name, report.Plural(asked, "privilege"))
		check.Fix = "read them with `drone plan`, then run with --trusted or answer `drone exec` on a terminal"
	default:
		check.Status, check.Message = doctor.OK, p.name+" can be read"
	}
	return check, p
}

// planImages are the images of the steps that would run in containers.
func planImages(p *planned) (images []string) {
	if p == nil || p.plan == nil {
		return nil
	}
	for _, pipe := range running(p.plan, "docker") {
		for _, step := range pipe.Steps {
			if step.Policy != exec.Never && step.Image != "" && !slices.Contains(images, step.Image) {
				images = append(images, step.Image)
			}
		}
	}
	return images
}

// outsideName is a host name that steps will want to resolve: that of the git
// remote where it has one, else that of Docker Hub.
func outsideName(p *planned) string {
	const hub = "registry-1.docker.io"
	if p == nil {
		return hub
	}
	remote, err := url.Parse(p.build.Repo.HTTPURL)
	if err != nil {
		return hub
	}
	host := remote.Hostname()
	if !strings.Contains(host, ".") || net.ParseIP(host) != nil {
		return hub
	}
	return host
}
