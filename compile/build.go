package compile

import "time"

// Build holds the facts of the build that a plan is made for: what a server
// would know from a webhook (reference §11.3). Empty fields are unknown.
type Build struct {
	Event   string // push, pull_request, tag, promote, rollback, cron, custom
	Action  string // opened, synchronized, create, or free text
	Trigger string // @hook, @cron, or a login

	Repo   Repo
	System System

	Branch     string // target branch
	Source     string // source branch
	SourceRepo string // slug of the fork a pull request comes from
	Ref        string // refs/heads/main, refs/tags/v1, refs/pull/1/head
	Before     string // commit before
	After      string // the commit that is built
	Title      string
	Message    string
	Author     Author
	Link       string // commit, compare or pull request page

	Number   int64
	Parent   int64 // number of the promoted build
	Deploy   string
	DeployID int64
	Cron     string
	Debug    bool
	Params   map[string]string

	Created, Started time.Time
	Dirty            bool // the working tree differs from After

	// Changed is needed for files of which UsesChangedFiles is true.
	Changed *ChangedFiles

	// Origin says where each known fact comes from, by field name in lower
	// case with dots ("branch", "repo.slug", "author.email"): "git HEAD",
	// "flag --branch", "default". Facts without an entry were derived.
	Origin map[string]string
	// Unknown names facts that could not be found, with the reason, for
	// example "repo.slug": "no git remote".
	Unknown map[string]string
}

// Repo holds the facts of the repository.
type Repo struct {
	Slug          string // owner/name
	Namespace     string
	Name          string
	SCM           string
	Link          string
	HTTPURL       string
	SSHURL        string
	DefaultBranch string
	Visibility    string // public, private, internal
	Private       bool
}

// System holds the facts of the server.
type System struct {
	Proto, Host, Hostname, Version string
}

// Author is the author of the commit.
type Author struct {
	Login, Name, Email, Avatar string
}
