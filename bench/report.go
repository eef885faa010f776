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
}

// result is one comparison.
type result struct {
	Name     string  `json:"name"`
	Title    string  `json:"title"`
	Subjects []score `json:"subjects"`
}

// score is how one subject did. The ratios are those to the baseline within
// each round: their median and quartiles.
type score struct {
	Name    string    `json:"name"`
	Median  float64   `json:"median_ms"`
	Min     float64   `json:"min_ms"`
	Max     float64   `json:"max_ms"`
	Ratio   float64   `json:"ratio"`
	RatioQ1 float64   `json:"ratio_q1"`
	RatioQ3 float64   `json:"ratio_q3"`
	Samples []float64 `json:"samples_ms"`
}

func describe(ctx context.Context, image string) machine {
	docker, err := exec.CommandContext(ctx, "docker", "version", "--format", "client {{.Client.Version}}, engine {{.Server.Version}}").Output()
	if err != nil {
		docker = []byte("unknown")
	}
	return machine{
		OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Go: runtime.Version(),
		Docker: strings.TrimSpace(string(docker)), Image: image,
	}
}

// summarise turns the samples of the subjects into scores.
func summarise(w workload, subjects []subject, samples [][]time.Duration) result {
	var base []float64
	for i, s := range subjects {
		if s.name == baseline {
			base = milliseconds(samples[i])
		}
	}
	out := result{Name: w.name, Title: w.title}
	for i, s := range subjects {
		ms := milliseconds(samples[i])
		r := ratios(ms, base)
		out.Subjects = append(out.Subjects, score{
			Name: s.name, Samples: ms,
			Median: round3(quantile(ms, 0.5)), Min: round3(quantile(ms, 0)), Max: round3(quantile(ms, 1)),
			Ratio: round3(quantile(r, 0.5)), RatioQ1: round3(quantile(r, 0.25)), RatioQ3: round3(quantile(r, 0.75)),
		})
	}
	return out
}

// writeTable prints one line for each subject of each comparison.
func (r report) writeTable(out io.Writer) {
	m := r.Machine
	fmt.Fprintf(out, "%s/%s, %d CPUs, Docker %s, %d rounds\n\n", m.OS, m.Arch, m.CPUs, m.Docker, r.Rounds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\t\tmedian\tmin\tmax\tratio\tquartiles\t")
	for _, res := range r.Results {
		title := res.Title
		for _, s := range res.Subjects {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f – %.2f\t\n",
				title, s.Name, span(s.Median), span(s.Min), span(s.Max), s.Ratio, s.RatioQ1, s.RatioQ3)
			title = ""
		}
	}
	w.Flush()
	fmt.Fprintf(out, "\nratio: time relative to `%s` of the same round, median and quartiles\n", baseline)
}

// span prints milliseconds in the unit that reads best.
func span(ms float64) string {
	if ms < 1000 {
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
