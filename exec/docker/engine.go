package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/dockerhost"
)

const (
	// oldestAPI is the first version whose wait can be registered before the
	// start of a container (Docker 17.06).
	oldestAPI = "1.30"
	// greeting bounds the first exchange with an engine unless Options say so;
	// ssh alone may take most of it.
	greeting = 45 * time.Second
)

// Options say which engine is used, and how.
type Options struct {
	// Endpoint is where the engine is.
	Endpoint dockerhost.Endpoint
	// Credentials are for registries; nil knows none.
	Credentials *dockerhost.Credentials
	// Offline keeps the engine from asking any registry: a step whose image is
	// not on it fails.
	Offline bool
	// Grace is how long a step may take to end by itself after it was asked
	// to, when its context ends. 0 kills at once.
	Grace time.Duration
	// Helper is a program, with arguments, that runs fileowner.Serve in the
	// directory that is its last argument. Where it is one that runs in any
	// container, it gives back to the caller what steps created as root;
	// else the image of a step has to have a shell for that.
	Helper []string
	// State is a directory of the caller's, made when needed, in which
	// processes that work in one directory at the same time agree on who gives
	// back what steps have created there, and what is older. Without it each
	// one does as if it was alone.
	State string
	// Greeting bounds the first exchange with the engine; 0 is 45 seconds.
	Greeting time.Duration
}

// Engine runs pipelines in containers. It implements exec.Engine and
// exec.Puller and is safe for concurrent use.
type Engine struct {
	client      *client.Client
	endpoint    dockerhost.Endpoint
	credentials *dockerhost.Credentials
	grace       time.Duration
	patience    patience
	full        func(dir string) bool     // full, but for tests
	goneSince   atomic.Pointer[time.Time] // set while removals find the engine gone
	owner       map[string]string
	images      *images
	startQueue  *startQueue
	workspaces  *workspaces
	helper      []string
	forceHelper bool   // also where the caller is root
	product     string // productDocker or productPodman
	version     string
	os          string
	arch        string // as Go and the file name it: amd64
}

var (
	_ exec.Engine = (*Engine)(nil)
	_ exec.Puller = (*Engine)(nil)
)

// New connects to an engine and makes sure that it can be spoken to. The error
// is an *exec.UnreachableError, or the cause of ctx when that ended. The
// caller closes the engine.
func New(ctx context.Context, opts Options) (*Engine, error) {
	options, err := opts.Endpoint.ClientOptions()
	if err != nil {
		return nil, &exec.UnreachableError{Address: opts.Endpoint.Host, Err: err, Hint: "check the address and the certificates"}
	}
	api, err := client.NewClientWithOpts(append(options, client.WithUserAgent("drone"))...)
	if err != nil {
		return nil, &exec.UnreachableError{
			Address: opts.Endpoint.Host,
			Err:     fmt.Errorf("cannot use %s from %s: %w", opts.Endpoint.Host, opts.Endpoint.Source, err),
		}
	}
	e := &Engine{
		client: api, endpoint: opts.Endpoint, credentials: opts.Credentials, grace: opts.Grace,
		patience: defaultPatience(), full: full,
		owner: ownerLabels(), helper: opts.Helper,
	}
	e.workspaces = newWorkspaces(e, opts.State)
	if e.credentials == nil {
		e.credentials = &dockerhost.Credentials{}
	}
	e.images = newImages(api, opts.Offline)
	if err := e.greet(ctx, cmp.Or(opts.Greeting, greeting)); err != nil {
		return nil, errors.Join(err, api.Close())
	}
	return e, nil
}

// greet agrees with the engine on a version of the API.
func (e *Engine) greet(ctx context.Context, within time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	ping, err := e.client.Ping(bounded)
	if err != nil {
		return e.unreachable(ctx, err)
	}
	if ping.APIVersion == "" {
		return e.unreachable(ctx, errStranger)
	}
	e.client.NegotiateAPIVersionPing(ping)
	if v := e.client.ClientVersion(); versions.LessThan(v, oldestAPI) {
		if !versions.LessThan(ping.APIVersion, oldestAPI) {
			return &exec.UnreachableError{
				Address: e.endpoint.Host,
				Err:     fmt.Errorf("DOCKER_API_VERSION fixes version %q of the Docker API, but at least %s is needed, and the engine at %s speaks %s", v, oldestAPI, e.endpoint.Host, ping.APIVersion),
				Hint:    "unset DOCKER_API_VERSION",
			}
		}
		return &exec.UnreachableError{
			Address: e.endpoint.Host,
			Err: fmt.Errorf("the engine at %s speaks version %s of the Docker API, but at least %s is needed",
				e.endpoint.Host, v, oldestAPI),
			Hint: "update Docker",
		}
	}
	// The ping is answered whatever the version; the first versioned request
	// tells whether an engine newer than this program still takes it.
	server, err := e.client.ServerVersion(bounded)
	if err != nil {
		return e.unreachable(ctx, err)
	}
	e.product, e.version, e.os, e.arch = productOf(server), server.Version, server.Os, server.Arch
	e.startQueue = newStartQueue(e.product, e.version)
	e.images.own = platforms.Normalize(ocispec.Platform{OS: cmp.Or(e.os, "linux"), Architecture: e.arch})
	return nil
}

// Close releases the connections to the engine. It removes nothing.
func (e *Engine) Close() error { return e.client.Close() }

// Version says which version the engine has, what it runs on, and which version
// of the API is spoken with it.
func (e *Engine) Version() string {
	return fmt.Sprintf("version %s, API %s, %s/%s", e.version, e.client.ClientVersion(), e.os, e.arch)
}

// SharesFiles reports whether the engine sees the files of this machine.
func (e *Engine) SharesFiles() bool { return e.endpoint.Local() }

// outlive gives a context that ends makeLag after ctx did. Requests that make
// something use it, so that a cancelled one is not cut off between the
// engine's work and the name of what must be removed.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(makeLag, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel() }
}
