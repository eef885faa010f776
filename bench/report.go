package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what bench writes as JSON. Times are in milliseconds.
type report struct {
	Version int       `json:"v"`
	Time    time.Time `json:"time"`
	Rounds  int       `json:"rounds"`
	Machine machine   `json:"machine"`
	Results []result  `json:"results"`
}

type machine struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`
	Go     string `json:"go"`
	Docker string `json:"docker"`
	Image  string `json:"image"`
	Load   string `json:"load,omitempty"` // when the run began, where that is known
}

// result is one comparison.
type result struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Subjects []score  `json:"subjects"`
	Targets  []goal   `json:"targets,omitempty"`
	LeftOut  []string `json:"left_out,omitempty"` // why which peers were
}

// score is how one subject did. A run gives one time, or one for each of what
// is measured in it. The ratios are those to the base within each round: their
// median and quartiles.
type score struct {
	Name    string    `json:"name"`
	Base    bool      `json:"base,omitempty"`
	Median  float64   `json:"median_ms"`
	Min     float64   `json:"min_ms"`
	P95     float64   `json:"p95_ms"`
	Max     float64   `json:"max_ms"`
	Ratio   float64   `json:"ratio"`
	RatioQ1 float64   `json:"ratio_q1"`
	RatioQ3 float64   `json:"ratio_q3"`
	Memory  float64   `json:"max_rss_mib,omitempty"`
	Samples []float64 `json:"samples_ms"`
}

// goal is a promise about drone and what was found of it.
type goal struct {
	Measure measured `json:"measure"`
	Limit   float64  `json:"limit"`
	Value   float64  `json:"value"`
	Met     bool     `json:"met"`
}

func describe(ctx context.Context, image string) machine {
	docker, err := exec.CommandContext(ctx, "docker", "version", "--format", "client {{.Client.Version}}, engine {{.Server.Version}}").Output()
	if err != nil {
		docker = []byte("unknown")
	}
	return machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Docker: strings.TrimSpace(string(docker)), Image: image, Load: load(),
	}
}

// load is the load average of the last minute, "" where the system has none to
// read.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

// summarise turns the readings of the subjects into scores.
func summarise(w workload, subjects []subject, readings [][]reading) result {
	var base []float64
	for i, s := range subjects {
		if s.base {
			base = perRound(readings[i])
		}
	}
	out := result{Name: w.name, Title: w.title}
	for i, s := range subjects {
		ms := samples(readings[i])
		r := ratios(perRound(readings[i]), base)
		out.Subjects = append(out.Subjects, score{
			Name: s.name, Base: s.base, Samples: ms,
			Median: round4(quantile(ms, 0.5)), Min: round4(quantile(ms, 0)), P95: round4(quantile(ms, 0.95)), Max: round4(quantile(ms, 1)),
			Ratio: round4(quantile(r, 0.5)), RatioQ1: round4(quantile(r, 0.25)), RatioQ3: round4(quantile(r, 0.75)),
			Memory: mostMemory(readings[i]),
		})
	}
	for _, t := range w.targets {
		value := t.measure.of(out.Subjects[0])
		out.Targets = append(out.Targets, goal{t.measure, t.limit, value, value <= t.limit})
	}
	return out
}

// writeTable prints one line for each subject of each comparison, and then one
// for each promise.
func (r report) writeTable(out io.Writer, earlier *report) {
	m := r.Machine
	fmt.Fprintf(out, "%s/%s, %d CPUs, Docker %s, %d rounds", m.OS, m.Arch, m.CPUs, m.Docker, r.Rounds)
	if m.Load != "" {
		fmt.Fprintf(out, ", load %s", m.Load)
	}
	fmt.Fprint(out, "\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\tmedian\tmin\tp95\tmax\tmemory\tratio\tquartiles\tearlier\t")
	for _, res := range r.Results {
		title := res.Title
		for _, s := range res.Subjects {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f – %.2f\t%s\t\n",
				title, s.Name, span(s.Median), span(s.Min), span(s.P95), span(s.Max), mebibytes(s.Memory),
				s.Ratio, s.RatioQ1, s.RatioQ3, earlier.versus(res.Name, s))
			title = ""
		}
	}
	w.Flush()
	fmt.Fprintf(out, "\nratio: relative to `%s`, or to the last line of a comparison without it, of the same round:\nmedian and quartiles\n", baseline)
	r.writeTargets(out)
}

// writeTargets prints what is promised beside what was found.
func (r report) writeTargets(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\ndrone\t\tpromised\tfound\t\n")
	for _, res := range r.Results {
		title := res.Title
		for _, g := range res.Targets {
			verdict := "met"
			if !g.Met {
				verdict = "NOT MET"
			}
			fmt.Fprintf(w, "%s\t%s\t≤ %s\t%s\t%s\n", title, g.Measure, g.Measure.text(g.Limit), g.Measure.text(g.Value), verdict)
			title = ""
		}
	}
	w.Flush()
}

func mebibytes(v float64) string {
	if v == 0 {
		return ""
	}
	return memory.text(v)
}

// span prints milliseconds in the unit that reads best.
func span(ms float64) string {
	switch {
	case ms < 1:
		return fmt.Sprintf("%.1f µs", ms*1000)
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2f s", ms/1000)
}

// writeJSON replaces the file at path by the report.
func (r report) writeJSON(path string) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", "  ")
	if err := enc.Encode(r); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}
