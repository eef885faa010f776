package lint

import (
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"

	"github.com/drone-laptop/drone/manifest"
)

// The part of SARIF 2.1.0 (OASIS) that a linter needs. The library for it writes
// what its own validator refuses, and brings that into every start of the
// program.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string             `json:"id"`
		Short   sarifText          `json:"shortDescription"`
		Full    sarifText          `json:"fullDescription"`
		Default sarifConfiguration `json:"defaultConfiguration"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule    string          `json:"ruleId"`
		Level   string          `json:"level"`
		Message sarifText       `json:"message"`
		Places  []sarifLocation `json:"locations"`
		Related []sarifLocation `json:"relatedLocations,omitempty"`
		Fixes   []sarifFix      `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		Physical *sarifPhysical `json:"physicalLocation,omitempty"`
		Message  *sarifText     `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted sarifText   `json:"insertedContent"`
	}
)

// SARIF writes findings as one log of SARIF 2.1.0, as code scanners of forges
// take them. version is that of the program. Paths are written as they are
// given, with slashes.
func SARIF(w io.Writer, findings []manifest.Problem, version string) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "drone", Version: version, Rules: []sarifRule{}}},
		// Columns count characters, and not units of UTF-16.
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	named := map[string]bool{}
	for _, f := range findings {
		if rule, err := Lookup(f.Rule); err == nil && !named[f.Rule] {
			named[f.Rule] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
				ID: rule.ID, Short: sarifText{rule.Summary}, Full: sarifText{rule.Explanation},
				Default: sarifConfiguration{sarifLevel(rule.Severity)},
			})
		}
		run.Results = append(run.Results, sarifOf(f))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func sarifOf(f manifest.Problem) sarifResult {
	message := f.Message
	if f.Hint != "" {
		message += "; " + f.Hint
	}
	r := sarifResult{
		Rule: f.Rule, Level: sarifLevel(f.Severity), Message: sarifText{message},
		Places: []sarifLocation{{Physical: sarifPlace(f.Span)}},
	}
	for _, other := range f.Related {
		r.Related = append(r.Related, sarifLocation{Physical: sarifPlace(other.Span), Message: &sarifText{other.Message}})
	}
	if f.Fix != nil {
		r.Fixes = []sarifFix{{
			Description: sarifText{f.Hint},
			Changes: []sarifChange{{
				Artifact:     sarifArtifact{sarifURI(f.Fix.Span.Start.File)},
				Replacements: []sarifReplacement{{Deleted: *sarifRegionOf(f.Fix.Span), Inserted: sarifText{f.Fix.Text}}},
			}},
		}}
	}
	return r
}

// sarifPlace is nil for what is in no file.
func sarifPlace(s manifest.Span) *sarifPhysical {
	if s.Start.File == "" {
		return nil
	}
	return &sarifPhysical{Artifact: sarifArtifact{sarifURI(s.Start.File)}, Region: sarifRegionOf(s)}
}

// sarifRegionOf is nil for what has no place in a file.
func sarifRegionOf(s manifest.Span) *sarifRegion {
	if s.Start.Line == 0 {
		return nil
	}
	r := &sarifRegion{StartLine: s.Start.Line, StartColumn: s.Start.Column}
	if s.End.Line != 0 {
		r.EndLine, r.EndColumn = s.End.Line, s.End.Column
	}
	return r
}

func sarifURI(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	return u.String()
}

func sarifLevel(s manifest.Severity) string {
	if s == manifest.Info {
		return "note"
	}
	return string(s)
}
