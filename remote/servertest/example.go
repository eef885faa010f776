package servertest

import "github.com/drone-laptop/drone/remote"

const (
	// Token is that of octocat on the server of Example.
	Token = "t0ken-of-octocat"
	// Key is what repositories sign and encrypt with that have no other.
	Key = "0123456789abcdefghijklmnopqrstuv"
)

// Hello is the repository of octocat on it.
var Hello = remote.Slug{Owner: "octo", Name: "hello"}

// Example starts a server with something on it. octocat, with Token, is its
// administrator, and reader, with "t0ken-of-reader", may only read. octo/hello is
// enabled, with three builds: 1 of a branch that succeeded, 2 that failed, and 3
// that runs, in the second step; octo/website is public and not enabled. There are
// a secret and a cron job of octo/hello, and a secret and a template of octo.
func Example() *Server {
	s := New()
	s.AddUser(remote.User{Login: "octocat", Email: "octocat@example.com", Admin: true, Token: Token})
	s.AddUser(remote.User{Login: "reader", Email: "reader@example.com", Token: "t0ken-of-reader"})
	all := remote.Permissions{Read: true, Write: true, Admin: true}
	s.AddRepo(Repo{
		Repo: remote.Repo{Namespace: "octo", Name: "hello", Active: true},
		Branches: map[string]string{
			"main":      "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
			"feature/a": "553c2077f0edc3d5dc5d17262f6aa498e69d6f8e",
		},
		Pipelines: examplePipelines(0),
		Users:     map[string]remote.Permissions{"octocat": all, "reader": {Read: true}},
	})
	s.AddRepo(Repo{
		Repo:  remote.Repo{Namespace: "octo", Name: "website", Visibility: remote.VisibilityPublic},
		Users: map[string]remote.Permissions{"octocat": all},
	})
	s.Play(Hello, s.Push(Hello, remote.Build{Target: "feature/a", Message: "try something\n"}))
	s.SetPipelines(Hello, examplePipelines(1), "")
	s.Play(Hello, s.Push(Hello, remote.Build{Message: "break the tests\n"}))
	s.SetPipelines(Hello, examplePipelines(0), "")
	running := s.Push(Hello, remote.Build{Message: "mend the tests\n"})
	s.StartStage(Hello, running, 1)
	clone, test := remote.StepRef{Build: running, Stage: 1, Step: 1}, remote.StepRef{Build: running, Stage: 1, Step: 2}
	s.StartStep(Hello, clone)
	s.Print(Hello, clone, "Initialized empty Git repository in /drone/src/.git/")
	s.FinishStep(Hello, clone, 0)
	s.StartStep(Hello, test)
	s.Print(Hello, test, "+ go test ./...")
	s.AddSecret(Hello, remote.SecretInput{Name: "npm_token", Data: "hunter2"})
	s.AddOrgSecret("octo", remote.SecretInput{Name: "docker_password", Data: "hunter3", PullRequest: true})
	s.AddCron(Hello, remote.Cron{Name: "nightly", Expr: "0 0 1 * * *", Branch: "main"})
	s.AddTemplate(remote.Template{Namespace: "octo", Name: "plugin.yml", Data: "kind: pipeline\nname: default\n"})
	return s
}

// examplePipelines are two, of which the second waits for the first.
func examplePipelines(exit int) []Pipeline {
	last := "PASS"
	if exit != 0 {
		last = "--- FAIL: TestHello (0.00s)"
	}
	return []Pipeline{
		{Name: "build", Steps: []Step{
			{Name: "clone", Image: "drone/git:latest", Output: []string{"Initialized empty Git repository in /drone/src/.git/"}},
			{Name: "test", Image: "golang:1.22", Output: []string{"+ go test ./...", last}, Exit: exit},
		}},
		{Name: "deploy", DependsOn: []string{"build"}, Steps: []Step{
			{Name: "clone", Image: "drone/git:latest", Output: []string{"Initialized empty Git repository in /drone/src/.git/"}},
			{Name: "publish", Image: "plugins/s3", Output: []string{"uploaded"}},
		}},
	}
}
