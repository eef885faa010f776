package cmd

// The exit statuses of all commands.
const (
	StatusOK          = 0   // success; skipped counts as success
	StatusFailed      = 1   // a pipeline failed, or a finding is an error
	StatusUsage       = 2   // bad flag, file, name, secret or missing consent
	StatusUnreachable = 3   // engine or server unreachable or refusing
	StatusTimeout     = 124 // a time limit ended the run
	StatusInterrupted = 130 // SIGINT
	StatusTerminated  = 143 // SIGTERM, SIGHUP, SIGQUIT
)

// failure is an error with its exit status. With a nil err everything there is
// to say has been said, and only the status is left.
type failure struct {
	status int
	err    error
	hint   string
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

func usage(err error, hint string) error {
	return &failure{status: StatusUsage, err: err, hint: hint}
}
