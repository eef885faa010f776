package lint

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/drone-laptop/drone/internal/similar"
	"github.com/drone-laptop/drone/manifest"
)

// Rule is one kind of mistake. It is all that is known of it: findings, the
// documentation and the tests are made from it.
type Rule struct {
	// ID is stable: reports, configuration and comments refer to it.
	ID string `json:"id"`
	// Group is the title of the chapter that the rule belongs to.
	Group string `json:"group"`
	// Severity is that of its findings, or of the gravest of them.
	Severity manifest.Severity `json:"severity"`
	// Strict is the severity where the user asks for strictness, "" when that
	// changes nothing.
	Strict manifest.Severity `json:"strict,omitempty"`
	// Summary is one lower-case line without a final stop.
	Summary string `json:"summary"`
	// Explanation says in a few sentences of Markdown what a server makes of
	// the mistake, and what to do.
	Explanation string `json:"explanation"`
	// Bad and Good are whole files: in Bad the rule finds something, in Good no
	// rule finds anything. Bad is empty where a file cannot show it, with the
	// reason in Untold.
	Bad    string `json:"bad"`
	Good   string `json:"good"`
	Untold string `json:"untold,omitempty"`
	// Reference names the sections of the specification that it follows.
	Reference string `json:"reference"`

	// check looks for the mistake. It is nil for what reading and compiling a
	// file finds.
	check func(*pass)
	// replaces says that check finds, and knows better, what compiling the file
	// finds under the same rule, which is then left out.
	replaces bool
	// grade says how grave a finding of reading or compiling is for the author of
	// the file, where that is not how grave it is for a run, and may add what
	// mends it. text is what is marked, as it is written. It may be nil.
	grade func(f *manifest.Problem, text string)
}

// Groups of rules, in the order of the documentation.
const (
	groupText       = "Text and YAML"
	groupKeys       = "Keys and shapes"
	groupNames      = "Names and dependencies"
	groupVolumes    = "Volumes and files"
	groupConditions = "Conditions"
	groupCommands   = "Commands and variables"
	groupSecrets    = "Secrets"
	groupImages     = "Images, plugins and containers"
	groupTrust      = "Trust"
	groupGenerated  = "Signatures and generated files"
	groupLint       = "Linting"
)

// catalogue holds all rules, in the order of the documentation.
var catalogue = sync.OnceValue(func() []Rule {
	return slices.Concat(
		yamlRules(),
		keyRules(),
		nameRules(),
		graphRules(),
		serviceRules(),
		volumeRules(),
		conditionRules(),
		wordRules(),
		patternRules(),
		unmetRules(),
		wideRules(),
		substitutionRules(),
		undefinedRules(),
		variableRules(),
		scriptRules(),
		dialectRules(),
		deliveryRules(),
		betweenRules(),
		secretRules(),
		leakRules(),
		imageRules(),
		containerRules(),
		dockerRules(),
		pluginRules(),
		trustRules(),
		generatedRules(),
		lintRules(),
	)
})

// index finds a rule by its id.
var index = sync.OnceValue(func() map[string]*Rule {
	all := catalogue()
	byID := make(map[string]*Rule, len(all))
	for i := range all {
		byID[all[i].ID] = &all[i]
	}
	return byID
})

// Rules returns all rules, in the order of the documentation.
func Rules() []Rule { return slices.Clone(catalogue()) }

// Lookup returns the rule with an id. Its error names the rule that was
// probably meant.
func Lookup(id string) (Rule, error) {
	if r := index()[id]; r != nil {
		return *r, nil
	}
	return Rule{}, &UnknownRuleError{ID: id, Closest: closest(id)}
}

// UnknownRuleError is the name of a rule that there is not.
type UnknownRuleError struct {
	ID      string
	Closest string // the rule that was probably meant, "" when there is none
}

func (e *UnknownRuleError) Error() string { return fmt.Sprintf("there is no rule %q", e.ID) }

// closest returns the rule that was probably meant, or "".
func closest(id string) string {
	var ids []string
	for _, r := range catalogue() {
		ids = append(ids, r.ID)
	}
	return similar.Word(strings.ToLower(id), ids)
}

// Level is what a user wants of a rule: its severity, or Off.
type Level string

// Off is the level of a rule that reports nothing.
const Off Level = "off"

// parseLevel reads off, info, warning or error.
func parseLevel(text string) (Level, error) {
	switch l := Level(text); l {
	case Off, Level(manifest.Info), Level(manifest.Warning), Level(manifest.Error):
		return l, nil
	}
	return "", fmt.Errorf("%q is no level: it must be off, info, warning or error", text)
}

// grade sets the severity of what reading or compiling found to what it is for
// the author of the file.
func (p *pass) grade(f *manifest.Problem) {
	if r := index()[f.Rule]; r != nil && r.grade != nil {
		r.grade(f, p.text(f.Span))
	}
}
