package remote

import (
	"encoding/json"
	"log/slog"
)

// The statuses of builds, stages and steps. A stage that waits for others has
// StateWaiting, one of a protected repository StateBlocked; the build of both
// is pending.
const (
	StatePending  = "pending"
	StateRunning  = "running"
	StateSuccess  = "success"
	StateFailure  = "failure"
	StateError    = "error"
	StateKilled   = "killed"
	StateSkipped  = "skipped"
	StateBlocked  = "blocked"
	StateDeclined = "declined"
	StateWaiting  = "waiting_on_dependencies"
)

// Finished reports whether a status is a last one. One that is not known here is
// not.
func Finished(status string) bool {
	switch status {
	case StateSuccess, StateFailure, StateError, StateKilled, StateSkipped, StateDeclined:
		return true
	}
	return false
}

// The events of builds.
const (
	EventPush        = "push"
	EventPullRequest = "pull_request"
	EventTag         = "tag"
	EventPromote     = "promote"
	EventRollback    = "rollback"
	EventCron        = "cron"
	EventCustom      = "custom"
)

// The visibilities of repositories.
const (
	VisibilityPublic   = "public"
	VisibilityPrivate  = "private"
	VisibilityInternal = "internal"
)

// The types below are what a server answers, with all of its fields; the Go names
// are those that templates of the official command know. Times are seconds since
// 1970, 0 for none.
type (
	// User is an account. Token is only set where a method says so; as text a
	// user has none.
	User struct {
		ID        int64  `json:"id"`
		Login     string `json:"login"`
		Email     string `json:"email"`
		Machine   bool   `json:"machine"`
		Admin     bool   `json:"admin"`
		Active    bool   `json:"active"`
		Avatar    string `json:"avatar"`
		Syncing   bool   `json:"syncing"`
		Synced    int64  `json:"synced"`
		Created   int64  `json:"created"`
		Updated   int64  `json:"updated"`
		LastLogin int64  `json:"last_login"`
		Token     string `json:"token,omitempty"`
	}

	// Repo is a repository.
	Repo struct {
		ID            int64        `json:"id"`
		UID           string       `json:"uid"`
		UserID        int64        `json:"user_id"`
		Namespace     string       `json:"namespace"`
		Name          string       `json:"name"`
		Slug          string       `json:"slug"`
		SCM           string       `json:"scm"`
		HTTPURL       string       `json:"git_http_url"`
		SSHURL        string       `json:"git_ssh_url"`
		Link          string       `json:"link"`
		Branch        string       `json:"default_branch"`
		Private       bool         `json:"private"`
		Visibility    string       `json:"visibility"`
		Active        bool         `json:"active"`
		Config        string       `json:"config_path"`
		Trusted       bool         `json:"trusted"`
		Protected     bool         `json:"protected"`
		IgnoreForks   bool         `json:"ignore_forks"`
		IgnorePulls   bool         `json:"ignore_pull_requests"`
		CancelPulls   bool         `json:"auto_cancel_pull_requests"`
		CancelPush    bool         `json:"auto_cancel_pushes"`
		CancelRunning bool         `json:"auto_cancel_running"`
		Timeout       int64        `json:"timeout"` // minutes
		Throttle      int64        `json:"throttle,omitempty"`
		Counter       int64        `json:"counter"`
		Synced        int64        `json:"synced"`
		Created       int64        `json:"created"`
		Updated       int64        `json:"updated"`
		Version       int64        `json:"version"`
		Archived      bool         `json:"archived"`
		Build         *Build       `json:"build,omitempty"`       // in lists of recent builds and in events
		Permissions   *Permissions `json:"permissions,omitempty"` // of the user who asks
	}

	// Permissions are what a user may do with a repository.
	Permissions struct {
		Read  bool `json:"read"`
		Write bool `json:"write"`
		Admin bool `json:"admin"`
	}

	// Build is a build. Stages is empty in lists.
	Build struct {
		ID           int64             `json:"id"`
		RepoID       int64             `json:"repo_id"`
		Number       int64             `json:"number"`
		Parent       int64             `json:"parent,omitempty"` // the number of the build that was restarted or promoted
		Trigger      string            `json:"trigger"`          // a login, @hook or @cron
		Status       string            `json:"status"`
		Error        string            `json:"error,omitempty"`
		Event        string            `json:"event"`
		Action       string            `json:"action"`
		Link         string            `json:"link"`
		Timestamp    int64             `json:"timestamp"`
		Title        string            `json:"title,omitempty"`
		Message      string            `json:"message"`
		Before       string            `json:"before"`
		After        string            `json:"after"` // the commit that is built
		Ref          string            `json:"ref"`
		Fork         string            `json:"source_repo"`
		Source       string            `json:"source"`
		Target       string            `json:"target"` // the branch
		Author       string            `json:"author_login"`
		AuthorName   string            `json:"author_name"`
		AuthorEmail  string            `json:"author_email"`
		AuthorAvatar string            `json:"author_avatar"`
		Sender       string            `json:"sender"`
		Params       map[string]string `json:"params,omitempty"`
		Cron         string            `json:"cron,omitempty"`
		Deploy       string            `json:"deploy_to,omitempty"`
		DeployID     int64             `json:"deploy_id,omitempty"`
		Debug        bool              `json:"debug,omitempty"`
		Started      int64             `json:"started"`
		Finished     int64             `json:"finished"`
		Created      int64             `json:"created"`
		Updated      int64             `json:"updated"`
		Version      int64             `json:"version"`
		Stages       []Stage           `json:"stages,omitempty"`
	}

	// Stage is a pipeline of a build.
	Stage struct {
		ID        int64             `json:"id"`
		RepoID    int64             `json:"repo_id"`
		BuildID   int64             `json:"build_id"`
		Number    int               `json:"number"` // from 1
		Name      string            `json:"name"`
		Kind      string            `json:"kind,omitempty"`
		Type      string            `json:"type,omitempty"`
		Status    string            `json:"status"`
		Error     string            `json:"error,omitempty"`
		ErrIgnore bool              `json:"errignore"`
		ExitCode  int               `json:"exit_code"`
		Machine   string            `json:"machine,omitempty"`
		OS        string            `json:"os"`
		Arch      string            `json:"arch"`
		Variant   string            `json:"variant,omitempty"`
		Kernel    string            `json:"kernel,omitempty"`
		Limit     int               `json:"limit,omitempty"`
		LimitRepo int               `json:"throttle,omitempty"`
		Started   int64             `json:"started"`
		Stopped   int64             `json:"stopped"`
		Created   int64             `json:"created"`
		Updated   int64             `json:"updated"`
		Version   int64             `json:"version"`
		OnSuccess bool              `json:"on_success"`
		OnFailure bool              `json:"on_failure"`
		DependsOn []string          `json:"depends_on,omitempty"`
		Labels    map[string]string `json:"labels,omitempty"`
		Steps     []Step            `json:"steps,omitempty"`
	}

	// Step is a step of a stage. A server has steps only from when the stage has
	// started.
	Step struct {
		ID        int64    `json:"id"`
		StageID   int64    `json:"step_id"` // named so on the wire
		Number    int      `json:"number"`  // from 1
		Name      string   `json:"name"`
		Status    string   `json:"status"`
		Error     string   `json:"error,omitempty"`
		ErrIgnore bool     `json:"errignore,omitempty"`
		ExitCode  int      `json:"exit_code"`
		Started   int64    `json:"started,omitempty"`
		Stopped   int64    `json:"stopped,omitempty"`
		Version   int64    `json:"version"`
		DependsOn []string `json:"depends_on,omitempty"`
		Image     string   `json:"image,omitempty"`
		Detached  bool     `json:"detached,omitempty"`
		Schema    string   `json:"schema,omitempty"` // of its card
	}

	// Line is one of a log. Message has the newline, if there is one, and what
	// terminals understand.
	Line struct {
		Number    int    `json:"pos"` // from 0
		Message   string `json:"out"`
		Timestamp int64  `json:"time"` // seconds since the log began
	}

	// Secret is what a server tells of a secret: never its value.
	Secret struct {
		ID              int64  `json:"id,omitempty"`
		RepoID          int64  `json:"repo_id,omitempty"`
		Namespace       string `json:"namespace,omitempty"`
		Name            string `json:"name,omitempty"`
		Type            string `json:"type,omitempty"`
		PullRequest     bool   `json:"pull_request,omitempty"`
		PullRequestPush bool   `json:"pull_request_push,omitempty"`
	}

	// Cron is a scheduled build. Expr has seconds as its first field.
	Cron struct {
		ID       int64  `json:"id"`
		RepoID   int64  `json:"repo_id"`
		Name     string `json:"name"`
		Expr     string `json:"expr"`
		Next     int64  `json:"next"`
		Prev     int64  `json:"prev"`
		Event    string `json:"event"`
		Branch   string `json:"branch"`
		Target   string `json:"target,omitempty"`
		Disabled bool   `json:"disabled"`
		Created  int64  `json:"created"`
		Updated  int64  `json:"updated"`
		Version  int64  `json:"version"`
	}

	// Template is a template of a namespace. Data may be missing in lists.
	Template struct {
		ID        int64  `json:"id,omitempty"`
		Name      string `json:"name,omitempty"`
		Namespace string `json:"namespace,omitempty"`
		Data      string `json:"data,omitempty"`
		Created   int64  `json:"created,omitempty"`
		Updated   int64  `json:"updated,omitempty"`
	}

	// Collaborator is a user with what they may do with a repository.
	Collaborator struct {
		UserID  int64  `json:"user_id"`
		RepoID  string `json:"repo_id"` // the UID of the repository
		Login   string `json:"login"`
		Avatar  string `json:"avatar"`
		Read    bool   `json:"read"`
		Write   bool   `json:"write"`
		Admin   bool   `json:"admin"`
		Synced  int64  `json:"synced"`
		Created int64  `json:"created"`
		Updated int64  `json:"updated"`
	}

	// RepoBuildStage is a stage that has not ended, with its build.
	RepoBuildStage struct {
		RepoNamespace     string `json:"repo_namespace"`
		RepoName          string `json:"repo_name"`
		RepoSlug          string `json:"repo_slug"`
		BuildNumber       int64  `json:"build_number"`
		BuildAuthor       string `json:"build_author"`
		BuildAuthorName   string `json:"build_author_name"`
		BuildAuthorEmail  string `json:"build_author_email"`
		BuildAuthorAvatar string `json:"build_author_avatar"`
		BuildSender       string `json:"build_sender"`
		BuildStarted      int64  `json:"build_started"`
		BuildFinished     int64  `json:"build_finished"`
		BuildCreated      int64  `json:"build_created"`
		BuildUpdated      int64  `json:"build_updated"`
		StageName         string `json:"stage_name"`
		StageKind         string `json:"stage_kind"`
		StageType         string `json:"stage_type"`
		StageStatus       string `json:"stage_status"`
		StageMachine      string `json:"stage_machine"`
		StageOS           string `json:"stage_os"`
		StageArch         string `json:"stage_arch"`
		StageVariant      string `json:"stage_variant"`
		StageKernel       string `json:"stage_kernel"`
		StageLimit        string `json:"stage_limit"`
		StageLimitRepo    string `json:"stage_limit_repo"`
		StageStarted      int64  `json:"stage_started"`
		StageStopped      int64  `json:"stage_stopped"`
	}

	// Stats are counts of a whole server.
	Stats struct {
		Users struct {
			Total int64 `json:"total"`
		} `json:"users"`
		Repos struct {
			Active int64 `json:"active"`
		} `json:"repos"`
		Builds struct {
			Pending int64 `json:"pending"`
			Running int64 `json:"running"`
			Total   int64 `json:"total"`
		} `json:"builds"`
		Pipelines []PlatformStats `json:"pipelines"`
		Events    struct {
			Subscribers int64 `json:"subscribers"`
		} `json:"events"`
		Streams  map[string]int64 `json:"streams"` // subscribers by the id of the step
		Watchers map[string]int64 `json:"watchers"`
	}

	// PlatformStats count the stages of a platform.
	PlatformStats struct {
		OS          string `json:"os"`
		Arch        string `json:"arch"`
		Variant     string `json:"variant"`
		Kernel      string `json:"kernel"`
		Pending     int64  `json:"pending"`
		Running     int64  `json:"running"`
		Subscribers int64  `json:"subscribers"`
	}

	// Version is that of a server.
	Version struct {
		Source  string `json:"source,omitempty"`
		Version string `json:"version,omitempty"`
		Commit  string `json:"commit,omitempty"`
	}

	// Varz are the limits of a server. Those of its licence depend on the edition.
	Varz struct {
		SCM struct {
			URL  string `json:"url"`
			Rate struct {
				Limit     int64 `json:"limit"`
				Remaining int64 `json:"remaining"`
				Reset     int64 `json:"reset"`
			} `json:"rate"`
		} `json:"scm"`
		License json.RawMessage `json:"license,omitempty"`
	}

	// Server is a machine of the autoscaler, with the keys of its Docker engine; as
	// text it has none.
	Server struct {
		ID       string `json:"id"`
		Provider string `json:"provider"`
		State    string `json:"state"`
		Name     string `json:"name"`
		Image    string `json:"image"`
		Region   string `json:"region"`
		Size     string `json:"size"`
		Address  string `json:"address"`
		Capacity int    `json:"capacity"`
		Secret   string `json:"secret,omitempty"`
		Error    string `json:"error,omitempty"`
		CAKey    []byte `json:"ca_key,omitempty"`
		CACert   []byte `json:"ca_cert,omitempty"`
		TLSKey   []byte `json:"tls_key,omitempty"`
		TLSCert  []byte `json:"tls_cert,omitempty"`
		Created  int64  `json:"created"`
		Updated  int64  `json:"updated"`
		Started  int64  `json:"started"`
		Stopped  int64  `json:"stopped"`
	}
)

// String names a user, without the token.
func (u User) String() string { return u.Login }

// GoString is String, so that no way of printing a user shows the token.
func (u User) GoString() string { return u.Login }

// LogValue is String, for the same reason.
func (u User) LogValue() slog.Value { return slog.StringValue(u.Login) }

// String names a server, without its keys.
func (s Server) String() string { return s.Name }

// GoString is String, so that no way of printing a server shows its keys.
func (s Server) GoString() string { return s.Name }

// LogValue is String, for the same reason.
func (s Server) LogValue() slog.Value { return slog.StringValue(s.Name) }
