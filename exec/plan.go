// Package exec runs a plan: pipelines of steps, each step a container or a
// process that some Engine provides.
//
// It is the narrow waist of the program. Producers make a Plan, consumers see
// only Events; neither knows the other. The package decides what may start
// when, what a result means for the rest, and what a secret must never show.
// It does not know YAML, Docker, git, files or terminals.
//
// Run is safe for concurrent use with different engines and sinks; a Plan is
// read only and may be shared.
package exec

// Version is the version of the plan and event formats.
const Version = 1

// Plan is everything a run does, resolved: what runs, in which order, and why.
// It holds the names of secrets, never their values, so it can be printed,
// saved and sent elsewhere.
type Plan struct {
	Version   int         `json:"v"`
	File      string      `json:"file"`
	Event     string      `json:"event"`
	Ref       string      `json:"ref"`
	Branch    string      `json:"branch"`
	Pipelines []*Pipeline `json:"pipelines"`
	// Secrets are what the file itself says of where secrets come from, of
	// each name the first. Their values are for the caller to find, who hands
	// them to Run.
	Secrets []SecretSource `json:"secrets,omitempty"`
}

// SecretSource says where the value of the secret Name comes from (reference
// §1.4): it is encrypted in Data, or kept in an external store.
type SecretSource struct {
	Name     string `json:"name"` // case matters
	Position string `json:"position,omitempty"`
	// Data is the value, encrypted with a key that only the server has.
	Data string `json:"data,omitempty"`
	// Path and Key are for the external store.
	Path string `json:"path,omitempty"`
	Key  string `json:"key,omitempty"`
	// Parts make up the value of a secret that has others in it, as a file for
	// Drone 0.5 can have. Run puts it together, unless the caller has a value
	// for Name itself.
	Parts []SecretPart `json:"parts,omitempty"`
}

// SecretPart is a piece of text, or else the value of the secret Secret.
type SecretPart struct {
	Text   string `json:"text,omitempty"`
	Secret string `json:"secret,omitempty"`
	// JSON has the value written as it stands in a string of JSON.
	JSON bool `json:"json,omitempty"`
}

// Pipeline is one pipeline (the server calls it a stage) of a plan.
type Pipeline struct {
	Name string `json:"name"`
	Type string `json:"type"`
	// Position is file:line:col of the pipeline.
	Position string `json:"position,omitempty"`
	// Runs is false for a pipeline that the event, a flag or its type leaves
	// out; Reason says why it runs or not. Steps are then still listed.
	Runs   bool   `json:"runs"`
	Reason string `json:"reason"`
	// DependsOn names pipelines of this plan; all of them run too.
	DependsOn []string `json:"depends_on,omitempty"`
	// Policy says what a failed pipeline before it means for this one. It is
	// consulted only for a pipeline with dependencies (reference §8.4).
	Policy Policy `json:"policy"`

	Platform  Platform          `json:"platform"`
	Workspace Workspace         `json:"workspace"`
	Volumes   []Volume          `json:"volumes,omitempty"`
	Networks  []string          `json:"networks,omitempty"` // existing networks every step joins too
	Labels    map[string]string `json:"labels,omitempty"`
	// PullSecrets names secrets that hold Docker config JSON; the last one
	// wins (reference §7.8).
	PullSecrets []SecretRef `json:"image_pull_secrets,omitempty"`

	// Env are variables that every step shares, beneath Step.Env; Fixed are
	// those of the build and the stage, which no step can override (reference
	// §5.1). The environment of a step is merged in the order Env, that of the
	// session, Step.Env, Fixed, what is only known at its start, Step.Secrets:
	// later wins. At the end every name with an empty value is dropped, so an
	// empty value in Fixed removes what Step.Env says; only secrets are kept
	// when empty.
	Env   map[string]string `json:"env,omitempty"`
	Fixed map[string]string `json:"fixed,omitempty"`
	// KeepEmpty has names with an empty value set all the same, as the runner
	// of exec pipelines does (reference §3).
	KeepEmpty bool `json:"keep_empty,omitempty"`
	// OldStatus has CI_BUILD_STATUS be success or failure at the start of a step,
	// and CI_BUILD_FINISHED the time, as Drone 0.6 to 0.8 did.
	OldStatus bool `json:"old_status,omitempty"`

	// Netrc is for engines that make a home directory for the steps: they
	// write it there. Others find the login in the environment of the steps.
	Netrc *Netrc `json:"netrc,omitempty"`

	// Privileges are what the pipeline gets beyond a container of its own, in
	// the order of the file. Engines do not read them: they are for
	// whoever decides whether the plan may run. Of plugins that the runner makes
	// privileged by their image (reference §7.9), those are among them that the
	// file can have run something of its own.
	Privileges []Privilege `json:"privileges,omitempty"`

	// Steps are clone, services and steps in the order of the file.
	Steps []*Step `json:"steps"`
}

// Privilege is something that a server gives trusted repositories only.
type Privilege struct {
	// Step names the step or service that asks for it. It is empty for a volume
	// of the pipeline.
	Step string `json:"step,omitempty"`
	// Position is file:line:col of the words that ask for it.
	Position string `json:"position,omitempty"`
	// What is asked for, with its value: the same words mean the same
	// privilege, wherever in the file they stand.
	What string `json:"what"`
	// Gives says what that opens to the step, for people.
	Gives string `json:"gives"`
	// Path is that of a host volume. What it leads to is for this machine to
	// tell.
	Path string `json:"path,omitempty"`
}

// Platform is what the pipeline asks to run on.
type Platform struct {
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Variant string `json:"variant,omitempty"`
	Version string `json:"version,omitempty"`
}

// Netrc names the secrets of the login that git and others read from a file:
// the whole line of the file, and the password alone, which must not show.
type Netrc struct {
	File     SecretRef `json:"file"`
	Password SecretRef `json:"password"`
}

// Workspace is the directory all steps of a pipeline share.
type Workspace struct {
	// Host is the absolute directory of this machine that is mounted at Path.
	// When empty the engine provides an empty volume, mounted at Base. For a
	// pipeline of type exec the workspace starts as a copy of Host, which
	// stays as it is.
	Host string `json:"host,omitempty"`
	// Base and Path are empty for a pipeline of type exec, whose engine
	// chooses the directory.
	Base string `json:"base"`
	// Path is the absolute directory in which steps start.
	Path string `json:"path"`
}

// VolumeKind is the kind of a Volume.
type VolumeKind string

// The kinds of volumes (reference §2.4).
const (
	VolumeTemp   VolumeKind = "temp"   // shared by the steps, removed with the pipeline
	VolumeMemory VolumeKind = "memory" // tmpfs, one for each step
	VolumeHost   VolumeKind = "host"   // a path of the host
)

// Volume is a volume that steps may mount by name.
type Volume struct {
	Name      string     `json:"name"`
	Kind      VolumeKind `json:"kind"`
	HostPath  string     `json:"host_path,omitempty"`
	SizeLimit int64      `json:"size_limit,omitempty"` // bytes, memory only, 0 is unlimited
}

// Kind tells the clone step, services and steps apart.
type Kind string

// The kinds of steps.
const (
	KindClone   Kind = "clone"
	KindService Kind = "service"
	KindStep    Kind = "step"
)

// Policy says in which state of its pipeline a step runs (reference §6.4).
type Policy string

// The run policies.
const (
	OnSuccess Policy = "on_success"
	OnFailure Policy = "on_failure"
	Always    Policy = "always"
	Never     Policy = "never"
)

// Failure says what a failed step means for its pipeline (reference §6.5).
type Failure string

// The failure modes; the zero value fails the pipeline.
const (
	FailureIgnore Failure = "ignore" // a non-zero exit does not count
	FailureFast   Failure = "fast"   // a non-zero exit ends the pipeline at once
)

// Pull says when an image is fetched.
type Pull string

// The pull policies (reference §7.6). The zero value, nothing said, is
// PullIfNotExists but for the tag latest, which is looked up once in a run. An
// image that is on the machine serves where no registry answers.
const (
	PullAlways      Pull = "always"
	PullIfNotExists Pull = "if-not-exists"
	PullNever       Pull = "never"
)

// Step is one container or process of a pipeline.
type Step struct {
	Name string `json:"name"`
	// Number is 1-based and counts the steps of the pipeline whose policy is
	// not Never; it is 0 for the others.
	Number   int    `json:"number"`
	Kind     Kind   `json:"kind"`
	Position string `json:"position,omitempty"` // file:line:col
	Image    string `json:"image,omitempty"`
	Pull     Pull   `json:"pull,omitempty"`
	// ImageSecret, one of Secrets, is what the image is taken from in place of
	// Image, which stands for it wherever it is shown.
	ImageSecret string `json:"image_secret,omitempty"`
	// ImagePosition is file:line:col of the image.
	ImagePosition string `json:"image_position,omitempty"`

	// Commands, when not empty, run as one script of the step's shell in
	// place of entrypoint and command (reference §5.7).
	Commands   []string `json:"commands,omitempty"`
	Entrypoint []string `json:"entrypoint,omitempty"`
	Command    []string `json:"command,omitempty"`

	// Env is the static environment of this step alone; Pipeline.Env lies
	// beneath and Pipeline.Fixed above. A name whose value is empty is not set.
	Env map[string]string `json:"env,omitempty"`
	// Secrets are set after Env; a name is set even when the value is empty. One
	// without Env is only looked up, and masked.
	Secrets   []SecretRef `json:"secrets,omitempty"`
	DependsOn []string    `json:"depends_on,omitempty"`
	Policy    Policy      `json:"policy"`
	Reason    string      `json:"reason"` // why it runs, or not
	Detach    bool        `json:"detach,omitempty"`
	Failure   Failure     `json:"failure,omitempty"`

	User         string   `json:"user,omitempty"`
	WorkingDir   string   `json:"working_dir,omitempty"` // "" keeps the image's
	Privileged   bool     `json:"privileged,omitempty"`
	Mounts       []Mount  `json:"mounts,omitempty"`
	Binds        []Bind   `json:"binds,omitempty"`
	Devices      []Mount  `json:"devices,omitempty"`
	NetworkMode  string   `json:"network_mode,omitempty"` // when set, no network of the pipeline
	DNS          []string `json:"dns,omitempty"`
	DNSSearch    []string `json:"dns_search,omitempty"`
	ExtraHosts   []string `json:"extra_hosts,omitempty"`
	ShmSize      int64    `json:"shm_size,omitempty"` // bytes, as all sizes
	MemLimit     int64    `json:"mem_limit,omitempty"`
	MemSwapLimit int64    `json:"memswap_limit,omitempty"`
}

// SecretRef asks for the value of the secret Name, as variable Env.
type SecretRef struct {
	Env      string `json:"env,omitempty"`
	Name     string `json:"secret"`
	Position string `json:"position,omitempty"` // file:line:col
}

// Mount mounts the pipeline volume Volume at Path.
type Mount struct {
	Volume string `json:"volume"`
	Path   string `json:"path"`
}

// Bind mounts a path of the host that the user, not the file, asked for.
type Bind struct {
	Host     string `json:"host"`
	Path     string `json:"path"`
	ReadOnly bool   `json:"read_only,omitempty"`
}
