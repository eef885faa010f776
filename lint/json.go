package lint

import (
	"encoding/json"
	"io"

	"github.com/drone-laptop/drone/manifest"
)

// record is one finding as scripts read it. Fields may be added, never renamed
// or removed.
type record struct {
	File      string            `json:"file"`
	Line      int               `json:"line"`
	Column    int               `json:"column"`
	EndLine   int               `json:"end_line"`
	EndColumn int               `json:"end_column"`
	Rule      string            `json:"rule"`
	Severity  manifest.Severity `json:"severity"`
	Message   string            `json:"message"`
	Detail    string            `json:"detail"`
	Pipeline  string            `json:"pipeline"`
	Step      string            `json:"step"`
	// Fix is the text for the marked one where that surely mends it, else "".
	Fix string `json:"fix"`
	// Related are other places that belong to the finding; one in no file is
	// told in the message alone.
	Related []relatedRecord `json:"related,omitempty"`
}

type relatedRecord struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// JSON writes findings as one array, `[]` when there are none.
func JSON(w io.Writer, findings []manifest.Problem) error {
	records := make([]record, 0, len(findings))
	for _, f := range findings {
		fix := ""
		if f.Fix != nil {
			fix = f.Fix.Text
		}
		var related []relatedRecord
		for _, r := range f.Related {
			at := r.Span.Start
			related = append(related, relatedRecord{File: at.File, Line: at.Line, Column: at.Column, Message: r.Message})
		}
		records = append(records, record{
			File: f.Span.Start.File, Line: f.Span.Start.Line, Column: f.Span.Start.Column,
			EndLine: f.Span.End.Line, EndColumn: f.Span.End.Column,
			Rule: f.Rule, Severity: f.Severity, Message: f.Message, Detail: f.Hint,
			Pipeline: f.Pipeline, Step: f.Step, Fix: fix, Related: related,
		})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(records)
}
