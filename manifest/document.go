package manifest

import "strings"

// Pos is a place in a source file. Line and Column are 1-based and count the
// file as the user sees it, not the document inside the stream: lines end at
// "\n", columns count Unicode code points. Offset is the 0-based byte offset.
// The zero Pos means "no place known".
type Pos struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Offset int    `json:"offset,omitempty"`
}

// Span is the half-open range of source text [Start, End).
type Span struct {
	Start, End Pos
}

// String is a scalar in a place where text is expected. Value is the source
// spelling for plain scalars (1.10 stays "1.10", yes stays "yes"; reference
// §1.3) and the content for quoted and block scalars.
type String struct {
	Value string
	Span  Span
	// Null reports an explicit or implied YAML null; Value is then "".
	Null bool
}

// IsSet reports whether the scalar was written in the file, null included.
func (s String) IsSet() bool { return s.Span.Start.Line != 0 }

// Bool is a scalar in a place where a YAML 1.1 boolean is expected.
type Bool struct {
	Value bool
	Span  Span
}

// Int is a scalar in a place where an integer is expected.
type Int struct {
	Value int64
	Span  Span
}

// Size is a memory size in bytes (reference §2.6).
type Size struct {
	Bytes int64
	Span  Span
}

// Document is one document of a stream. Exactly one of Pipeline, Secret,
// Signature, Template is set for those kinds; all are nil for any other kind.
type Document struct {
	// Index is the 0-based position among the documents of the file.
	Index int
	// Span covers the document without its separator line.
	Span Span

	Kind    String
	Type    String
	Version String
	Name    String

	Pipeline  *Pipeline
	Secret    *Secret
	Signature *Signature
	Template  *Template
}

// Secret is a `kind: secret` document.
type Secret struct {
	Name String
	Data String // encrypted value, base64
	Path String // get.path
	Key  String // get.name, or get.key where only that is given
}

// Signature is a `kind: signature` document.
type Signature struct {
	Hmac String
}

// Template is a `kind: template` document; its data is left to the converter.
type Template struct {
	Load String
}

// Pipeline is a `kind: pipeline` document of any type. The fields of a docker
// pipeline (reference §2) and of an exec pipeline (§3) are typed; for other
// types only the common header and what happens to have the same shape.
type Pipeline struct {
	Span Span

	Type        String // "" means docker
	Name        String // "" answers to "default" too (§1.6)
	DependsOn   []String
	Trigger     Conditions
	Platform    Platform
	Node        []Pair
	Concurrency Int // concurrency.limit
	Clone       Clone
	Workspace   Workspace
	Environment []EnvVar
	Services    []*Step // none is nil
	Steps       []*Step // none is nil
	Volumes     []*Volume
	PullSecrets []String
}

// DisplayName is the name the pipeline is known by: its own, or "default".
func (p *Pipeline) DisplayName() string {
	if p.Name.Value == "" {
		return "default"
	}
	return p.Name.Value
}

// InContainers reports whether the pipeline is for the runner of Docker: it has
// no type, or that.
func (p *Pipeline) InContainers() bool { return p.Type.Value == "" || p.Type.Value == "docker" }

// OnHost reports whether the pipeline is of type exec, whose commands run on a
// machine without containers.
func (p *Pipeline) OnHost() bool { return p.Type.Value == "exec" }

// Pair is one entry of a string map, in source order.
type Pair struct {
	Key, Value String
}

// Platform is the platform of a pipeline; empty fields were not given.
type Platform struct {
	OS, Arch, Variant, Version String
}

// Clone holds the clone options of a pipeline (reference §7.5).
type Clone struct {
	Disable    Bool
	Depth      Int
	Retries    Int
	SkipVerify Bool
	Trace      Bool
}

// Workspace is the workspace of a pipeline as written (reference §7.2).
type Workspace struct {
	Base, Path String
}

// EnvVar is one environment variable: a value, or the name of a secret. A
// secret name that is blank leaves FromSecret unset and the value empty (§2.3).
type EnvVar struct {
	Name       String
	Value      String
	FromSecret String
}

// Step is a step or a service (reference §2.2).
type Step struct {
	Span Span

	Name         String
	Image        String
	Commands     []String
	Entrypoint   []String
	Command      []String
	Environment  []EnvVar
	Settings     []Setting
	Detach       Bool
	DependsOn    []String
	When         Conditions
	Failure      String
	Pull         String
	Privileged   Bool
	User         String
	WorkingDir   String
	Volumes      []Mount
	Devices      []Mount
	NetworkMode  String
	DNS          []String
	DNSSearch    []String
	ExtraHosts   []String
	ShmSize      Size
	MemLimit     Size
	MemSwapLimit Size
}

// Mount mounts the pipeline volume Name at Path.
type Mount struct {
	Name, Path String
	Span       Span
}

// Volume is a volume of a pipeline (reference §2.4). At most one of Temp and
// Host is set; both are nil for `temp:` with a null, `claim`, `config_map`.
type Volume struct {
	Span Span
	Name String
	Temp *TempVolume
	Host *HostVolume
}

// TempVolume is a volume that lives as long as its pipeline.
type TempVolume struct {
	Medium    String // "memory" or anything else
	SizeLimit Size
}

// HostVolume is a path of the host.
type HostVolume struct {
	Path String
}

// Conditions is a `trigger` or a `when`. A key that is absent restricts
// nothing.
type Conditions struct {
	Span Span

	Branch, Event, Ref, Repo, Target, Cron, Action, Instance Condition
	Status                                                   Condition
	// Paths and Changeset are keys of server extensions, compared with the
	// files that changed; a plain server ignores them. The `includes` and
	// `excludes` of a changeset are its Include and Exclude.
	Paths, Changeset Condition
}

// Condition is one condition: its patterns, as written (reference §6.2).
type Condition struct {
	Key     String // the key; unset when the condition is absent
	Include []String
	Exclude []String
}

// Restricts reports whether a condition has any pattern. Without one it is met,
// whatever its key.
func (c *Condition) Restricts() bool { return len(c.Include)+len(c.Exclude) > 0 }

// Setting is one entry of `settings`.
type Setting struct {
	Name  String
	Value Value
}

// Variable is the name of the variable in which a plugin gets the setting.
// Nothing but the case of the name is mapped (reference §2.5).
func (s Setting) Variable() string { return "PLUGIN_" + strings.ToUpper(s.Name.Value) }

// FromSecret is the name of the secret that takes the place of the value, unset
// when the setting asks for none. A blank name asks for none, and neither does
// one inside a list or a deeper map (reference §2.5).
func (s Setting) FromSecret() String {
	entries, _ := s.Value.Any.([]Entry)
	for _, e := range entries {
		if e.Key.Value != "from_secret" {
			continue
		}
		name, ok := e.Value.Any.(string)
		if !ok {
			name = e.Value.Text
		}
		if strings.TrimSpace(name) == "" {
			return String{}
		}
		return String{Value: name, Span: e.Value.Span}
	}
	return String{}
}

// Value is any YAML value, with merge keys and aliases resolved.
type Value struct {
	Span Span
	// Any is nil, bool, int64, uint64, float64, string, []Value or []Entry,
	// resolved as YAML 1.1 does (reference §1.5). An integer beyond 64 bits is
	// a string of its digits; timestamps are strings.
	Any any
	// Text is the source spelling of a scalar.
	Text string
}

// Entry is one entry of a map inside a Value, in source order.
type Entry struct {
	Key   String
	Value Value
}
