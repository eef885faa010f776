package cmd_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drone-laptop/drone/remote"
	"github.com/drone-laptop/drone/remote/servertest"
)

// servers are those of the scripts that run.
type serverOf struct {
	server *servertest.Server
	asked  int // how many of its requests the script has looked at with asked
}

// serverKey is where a script has its server.
type serverKey struct{}

// serverCommand is the command server of the scripts. Alone it starts the server
// of servertest.Example and names it as the environment of the script does;
// `server oss` starts the edition without the enterprise parts, and
// `server autorun` one whose builds run by themselves. Then:
//
//	server push SLUG [BRANCH]        a build is created, as by a push
//	server play SLUG BUILD           a build runs to its end
//	server error SLUG TEXT           the file of the repository is wrong
//	server skip SLUG                 no pipeline is for anything
//	server owner SLUG                a repository of a user, who is no administrator
//	server machine NAME              a machine of the autoscaler
//	server block SLUG                the next pushes wait for an approval
//	server fail SLUG                 the next builds fail
//	server fault MATCH KEY=VALUE…    a servertest.Fault
//	server requests FILE             what was asked is written to a file
func serverCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("server cannot fail")
	}
	of := ts.Value(serverKey{}).(*serverOf)
	if of.server == nil {
		startServer(ts, of, args)
		return
	}
	if len(args) < 2 {
		ts.Fatalf("usage: server push|play|owner|error|skip|block|fail|fault|requests …")
	}
	if !slices.Contains([]string{"fault", "requests", "machine"}, args[0]) {
		changeRepo(ts, of.server, args)
		return
	}
	if args[0] == "machine" {
		of.server.AddMachine(remote.Server{
			Name: args[1], State: "running", Address: "192.0.2.7", Region: "nyc1", Size: "small", Secret: "s3cret",
			CACert: []byte("ca"), CAKey: []byte("s3cret"), TLSCert: []byte("cert"), TLSKey: []byte("s3cret"),
		})
		return
	}
	if args[0] == "fault" {
		of.server.Fault(parseFault(ts, args[1:]))
		return
	}
	text := ""
	for _, r := range of.server.Requests() {
		text += r.String() + "\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func startServer(ts *testscript.TestScript, of *serverOf, args []string) {
	of.server = servertest.Example()
	ts.Defer(of.server.Close)
	switch strings.Join(args, " ") {
	case "":
	case "oss":
		of.server.OSS = true
	case "autorun":
		of.server.Autorun = time.Millisecond
	default:
		ts.Fatalf("usage: server [oss|autorun]")
	}
	// A value that the server encrypts badly.
	of.server.Fault(servertest.Fault{
		Match: "POST /api/repos/octo/hello/encrypt/secret", Body: `"another"`,
		Text: `{"data":"AAAA\n---\nkind: pipeline\n"}`,
	})
	ts.Setenv("DRONE_SERVER", of.server.URL)
	ts.Setenv("DRONE_TOKEN", servertest.Token)
}

func changeRepo(ts *testscript.TestScript, s *servertest.Server, args []string) {
	repo, err := remote.ParseSlug(args[1])
	ts.Check(err)
	argument := func() string {
		if len(args) < 3 {
			ts.Fatalf("server %s: an argument is missing", args[0])
		}
		return args[2]
	}
	switch args[0] {
	case "push":
		b := remote.Build{}
		if len(args) > 2 {
			b.Target = args[2]
		}
		s.Push(repo, b)
	case "play":
		number, err := strconv.ParseInt(argument(), 10, 64)
		ts.Check(err)
		s.Play(repo, number)
	case "owner":
		s.AddUser(remote.User{Login: repo.Owner, Token: "t0ken-of-" + repo.Owner})
		s.AddRepo(servertest.Repo{
			Repo:  remote.Repo{Namespace: repo.Owner, Name: repo.Name, Active: true},
			Users: map[string]remote.Permissions{repo.Owner: {Read: true, Write: true, Admin: true}},
		})
	case "error":
		s.SetPipelines(repo, nil, argument())
	case "skip":
		s.SetPipelines(repo, nil, "")
	case "block":
		s.SetPipelines(repo, []servertest.Pipeline{{
			Name: "build", Blocked: true, Steps: []servertest.Step{{Name: "test", Image: "golang", Output: []string{"PASS"}}},
		}}, "")
	case "fail":
		s.SetPipelines(repo, []servertest.Pipeline{{
			Name: "build", Steps: []servertest.Step{{Name: "test", Image: "golang", Output: []string{"--- FAIL"}, Exit: 1}},
		}}, "")
	default:
		ts.Fatalf("server %s: what is that?", args[0])
	}
}

// asked writes what was asked of the server since the last time to a file, without
// what only reads: asked FILE.
func asked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: asked FILE")
	}
	of := ts.Value(serverKey{}).(*serverOf)
	text := ""
	all := of.server.Requests()
	for _, r := range all[of.asked:] {
		if r.Method != http.MethodGet {
			text += r.String() + "\n"
		}
	}
	of.asked = len(all)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func parseFault(ts *testscript.TestScript, args []string) servertest.Fault {
	f := servertest.Fault{Match: args[0]}
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		if err := setFault(&f, key, value); err != nil {
			ts.Fatalf("server fault: %s: %v", arg, err)
		}
	}
	return f
}

func setFault(f *servertest.Fault, key, value string) (err error) {
	switch key {
	case "body":
		f.Body = value
	case "skip":
		f.Skip, err = strconv.Atoi(value)
	case "times":
		f.Times, err = strconv.Atoi(value)
	case "delay":
		f.Delay, err = time.ParseDuration(value)
	case "hang":
		f.Hang = true
	case "drop":
		f.Drop = true
	case "status":
		f.Status, err = strconv.Atoi(value)
		if f.Message == "" {
			f.Message = http.StatusText(f.Status)
		}
	case "message":
		f.Message = value
	case "text":
		f.Text = value
	case "type":
		f.Type = value
	case "html":
		f.Text, f.Type = "<html>", "text/html"
	case "location":
		f.Location, f.Status = value, http.StatusFound
	case "stream-cut":
		f.Stream.Cut, err = strconv.Atoi(value)
	case "stream-stall":
		f.Stream.Stall, err = strconv.Atoi(value)
	case "stream-drop":
		f.Stream.Drop, err = strconv.Atoi(value)
	case "stream-duplicate":
		f.Stream.Duplicate = true
	case "stream-lose-from":
		f.Stream.LoseFrom, err = strconv.Atoi(value)
	case "stream-chunk":
		f.Stream.Chunk, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("there is no such fault")
	}
	return err
}
