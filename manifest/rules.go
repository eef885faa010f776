package manifest

// The rules under which this package reports problems. The names are stable:
// reports, suppressions and documentation refer to them.
const (
	RuleEncoding       = "encoding"        // not UTF-8 text
	RuleEmptyFile      = "empty-file"      // no document in the file
	RuleLongLine       = "long-line"       // a line the server cuts the file at
	RuleSeparator      = "separator"       // a `---` line that loses or surprises
	RuleTerminator     = "terminator"      // text after a `...` line
	RuleEmptyDocument  = "empty-document"  // a document of comments only
	RuleSubstitution   = "substitution"    // a `${…}` that cannot be substituted
	RuleOperator       = "operator"        // a `${…}` whose operator is not that of a shell
	RuleInserted       = "inserted-yaml"   // a substituted value that YAML does not read as text
	RuleSyntax         = "yaml-syntax"     // text that is not YAML
	RuleAlias          = "yaml-alias"      // an alias or merge key that cannot be followed
	RuleTag            = "yaml-tag"        // a `!` that YAML reads as a tag
	RuleMergeOrder     = "merge-order"     // a key that a merge key after it overwrites
	RuleDuplicateKey   = "duplicate-key"   // one key twice in one map, one of them lost
	RuleRepeatedKey    = "repeated-key"    // the same, and nothing is lost by it
	RuleUnknownKey     = "unknown-key"     // a key that nothing reads
	RuleFlatSettings   = "flat-settings"   // parameters of a plugin outside `settings`
	RuleIgnoredKey     = "ignored-key"     // a key known to Drone that runners ignore
	RuleShape          = "wrong-shape"     // a list where text is expected, and so on
	RuleSize           = "invalid-size"    // text that is no memory size
	RuleConditionShape = "condition-shape" // a condition the server drops
	RuleVolume         = "empty-volume"    // a volume that is never created
	RuleKind           = "kind"            // missing or unknown kind
	RuleLegacy         = "legacy"          // a file for Drone 0.4 to 0.8
	RuleUnusedData     = "unused-data"     // data for a template that does not use it; found by whoever fills it in
	RuleProgram        = "program"         // a program or a template that fails; found by whoever runs it

	RuleExtension = "server-extension" // a condition that a plain server ignores
)
