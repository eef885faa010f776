package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// readReport reads the results of an earlier run, nil when there is no file.
func readReport(path string) (*report, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || path == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s holds no results: %w", path, err)
	}
	return &r, nil
}

// find gives the result of a comparison, nil when it was not made.
func (r *report) find(name string) *result {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(r.Results, func(res result) bool { return res.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Results[i]
}

// versus says what the ratio of a subject was, and whether it has changed by
// more than both runs vary: their quartiles do not overlap. Times are not
// compared, since those of two runs are of two machines, or of two hours.
func (r *report) versus(comparison string, now score) string {
	res := r.find(comparison)
	if res == nil || now.Base {
		return ""
	}
	i := slices.IndexFunc(res.Subjects, func(s score) bool { return s.Name == now.Name })
	if i < 0 {
		return ""
	}
	was := res.Subjects[i]
	text := fmt.Sprintf("%.2f", was.Ratio)
	switch {
	case now.RatioQ1 > was.RatioQ3:
		text += ", slower"
	case now.RatioQ3 < was.RatioQ1:
		text += ", faster"
	}
	return text
}

// with is the report with the comparisons of an earlier one that it has not
// made itself.
func (r report) with(earlier *report) report {
	if earlier == nil {
		return r
	}
	all := slices.Clone(r.Results)
	for _, res := range earlier.Results {
		if r.find(res.Name) == nil {
			all = append(all, res)
		}
	}
	r.Results = nil
	for _, name := range workloadNames() {
		if i := slices.IndexFunc(all, func(res result) bool { return res.Name == name }); i >= 0 {
			r.Results = append(r.Results, all[i])
		}
	}
	return r
}
