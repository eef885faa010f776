package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/drone-laptop/drone/remote"
)

// TestEndpoints sees to it that each method asks what section 2 of the reference
// of the server's API says, and gives what is answered.
func TestEndpoints(t *testing.T) {
	yes, no, text, minutes := true, false, "x", int64(90)
	step := remote.StepRef{Build: 7, Stage: 2, Step: 3}
	type calls map[string]struct {
		call   func(context.Context, *remote.Client) (any, error)
		want   string // method, address and body
		answer string // empty is 204
		got    string // of the result, as %+v; empty is not looked at
	}
	for section, cases := range map[string]calls{
		"2.1 account": {
			"Self": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Self(ctx) },
				"GET /api/user", `{"login":"octocat","avatar":"https://a"}`, "octocat",
			},
			"SelfUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.SelfUpdate(ctx, "a@b") },
				`PATCH /api/user {"email":"a@b"}`, `{"login":"octocat"}`, "octocat",
			},
			"SelfToken": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.SelfToken(ctx, false) },
				"POST /api/user/token", `{"login":"octocat","token":"abc"}`, "abc",
			},
			"SelfToken rotate": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.SelfToken(ctx, true) },
				"POST /api/user/token?rotate=true", `{"login":"octocat","token":"abc"}`, "abc",
			},
			"RepoList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoList(ctx, false) },
				"GET /api/user/repos", `[{"slug":"octo/hello"}]`, "",
			},
			"RepoList latest": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoList(ctx, true) },
				"GET /api/user/repos?latest=true", `[]`, "[]",
			},
			"RepoSync": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoSync(ctx) },
				"POST /api/user/repos", `[]`, "[]",
			},
			"RepoSyncStart": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.RepoSyncStart(ctx) },
				"POST /api/user/repos?async=true", "", "",
			},
			"BuildActivity": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildActivity(ctx) },
				"GET /api/user/builds", `null`, "[]",
			},
			"BuildRecent": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildRecent(ctx) },
				"GET /api/user/builds/recent", `[]`, "[]",
			},
			"RemoteRepoList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RemoteRepoList(ctx) },
				"GET /api/user/remote/repos", `[]`, "[]",
			},
			"RemoteRepo": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RemoteRepo(ctx, hello) },
				"GET /api/user/remote/repos/octo/hello", `{"slug":"octo/hello"}`, "",
			},
		},
		"2.2 repositories": {
			"RepoEnable": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoEnable(ctx, hello) },
				"POST /api/repos/octo/hello", `{"active":true}`, "",
			},
			"RepoUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.RepoUpdate(ctx, hello, remote.RepoPatch{Config: &text, Protected: &no, Timeout: &minutes})
				},
				`PATCH /api/repos/octo/hello {"config_path":"x","protected":false,"timeout":90}`, `{}`, "",
			},
			"RepoDisable": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoDisable(ctx, hello) },
				"DELETE /api/repos/octo/hello", `{}`, "",
			},
			"RepoDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoDelete(ctx, hello) },
				"DELETE /api/repos/octo/hello?remove=true", `{}`, "",
			},
			"RepoChown": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoChown(ctx, hello) },
				"POST /api/repos/octo/hello/chown", `{}`, "",
			},
			"RepoRepair": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.RepoRepair(ctx, hello) },
				"POST /api/repos/octo/hello/repair", `{}`, "",
			},
			"CollaboratorList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.CollaboratorList(ctx, hello) },
				"GET /api/repos/octo/hello/collaborators", `[]`, "",
			},
			"Collaborator": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Collaborator(ctx, hello, "cat") },
				"GET /api/repos/octo/hello/collaborators/cat", `{}`, "",
			},
			"CollaboratorDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.CollaboratorDelete(ctx, hello, "cat")
				},
				"DELETE /api/repos/octo/hello/collaborators/cat", "", "",
			},
		},
		"2.3 builds": {
			"BuildList": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildList(ctx, hello, remote.BuildFilter{Branch: "feature/a"}, 2, 50)
				},
				"GET /api/repos/octo/hello/builds?branch=feature%2Fa&page=2&per_page=50", `[]`, "[]",
			},
			"Build": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Build(ctx, hello, 7) },
				"GET /api/repos/octo/hello/builds/7", `{"number":7}`, "",
			},
			"BuildLatest": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildLatest(ctx, hello, "", "") },
				"GET /api/repos/octo/hello/builds/latest", `{}`, "",
			},
			"BuildLatest of a branch": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildLatest(ctx, hello, "a", "") },
				"GET /api/repos/octo/hello/builds/latest?branch=a", `{}`, "",
			},
			"BuildLatest of a ref": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildLatest(ctx, hello, "", "refs/tags/v1")
				},
				"GET /api/repos/octo/hello/builds/latest?ref=refs%2Ftags%2Fv1", `{}`, "",
			},
			"BuildCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildCreate(ctx, hello, remote.NewBuild{Branch: "main", Commit: "abc", Params: map[string]string{"A": "b c"}})
				},
				"POST /api/repos/octo/hello/builds?A=b+c&branch=main&commit=abc", `{}`, "",
			},
			"BuildRestart": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildRestart(ctx, hello, 7, map[string]string{"A": ""}, true)
				},
				"POST /api/repos/octo/hello/builds/7?A=&debug=true", `{}`, "",
			},
			"BuildPromote": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildPromote(ctx, hello, 7, "production", map[string]string{"A": "b"})
				},
				"POST /api/repos/octo/hello/builds/7/promote?A=b&target=production", `{}`, "",
			},
			"BuildRollback": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.BuildRollback(ctx, hello, 7, "production", nil)
				},
				"POST /api/repos/octo/hello/builds/7/rollback?target=production", `{}`, "",
			},
			"BuildCancel": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildCancel(ctx, hello, 7) },
				"DELETE /api/repos/octo/hello/builds/7", `{}`, "",
			},
			"BuildApprove": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.BuildApprove(ctx, hello, 7, 2) },
				"POST /api/repos/octo/hello/builds/7/approve/2", "", "",
			},
			"BuildDecline": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.BuildDecline(ctx, hello, 7, 2) },
				"POST /api/repos/octo/hello/builds/7/decline/2", "", "",
			},
			"BuildDeclineAll": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.BuildDeclineAll(ctx, hello, 7) },
				"POST /api/repos/octo/hello/builds/7/decline", "", "",
			},
			"BuildPurge": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.BuildPurge(ctx, hello, 7) },
				"DELETE /api/repos/octo/hello/builds?before=7", "", "",
			},
			"BuildBranches": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildBranches(ctx, hello) },
				"GET /api/repos/octo/hello/builds/branches", `[]`, "",
			},
			"BuildPulls": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildPulls(ctx, hello) },
				"GET /api/repos/octo/hello/builds/pulls", `[]`, "",
			},
			"BuildDeployments": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildDeployments(ctx, hello) },
				"GET /api/repos/octo/hello/builds/deployments", `[]`, "",
			},
			"BuildBranchDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.BuildBranchDelete(ctx, hello, "feature/a?b")
				},
				"DELETE /api/repos/octo/hello/builds/branches/feature/a%3Fb", "", "",
			},
			"BuildPullDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.BuildPullDelete(ctx, hello, 3) },
				"DELETE /api/repos/octo/hello/builds/pulls/3", "", "",
			},
			"BuildDeploymentDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.BuildDeploymentDelete(ctx, hello, "production")
				},
				"DELETE /api/repos/octo/hello/builds/deployments/production", "", "",
			},
			"BuildIncomplete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildIncomplete(ctx) },
				"GET /api/builds/incomplete", `[]`, "",
			},
			"BuildIncompleteStages": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.BuildIncompleteStages(ctx) },
				"GET /api/builds/incomplete/v2", `[{"repo_slug":"octo/hello","stage_limit":"1"}]`, "",
			},
		},
		"2.4 logs and cards": {
			"Logs": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Logs(ctx, hello, step) },
				"GET /api/repos/octo/hello/builds/7/logs/2/3", `[{"pos":1,"out":"a","time":2}]`, "[{Number:1 Message:a Timestamp:2}]",
			},
			"LogsDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.LogsDelete(ctx, hello, step) },
				"DELETE /api/repos/octo/hello/builds/7/logs/2/3", "", "",
			},
			"Card": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					card, err := c.Card(ctx, hello, step)
					return string(card), err
				},
				"GET /api/repos/octo/hello/cards/7/2/3", `{"a": 1}`, `{"a": 1}`,
			},
			"CardCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.CardCreate(ctx, hello, step, "https://s", json.RawMessage(`{"a":1}`))
				},
				`POST /api/repos/octo/hello/cards/7/2/3 {"data":{"a":1},"schema":"https://s"}`, `5`, "",
			},
			"CardDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.CardDelete(ctx, hello, step) },
				"DELETE /api/repos/octo/hello/cards/7/2/3", "", "",
			},
		},
		"2.5 secrets and cron": {
			"SecretList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.SecretList(ctx, hello) },
				"GET /api/repos/octo/hello/secrets", `[{"name":"a"}]`, "",
			},
			"Secret": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Secret(ctx, hello, "a") },
				"GET /api/repos/octo/hello/secrets/a", `{"name":"a"}`, "",
			},
			"SecretCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.SecretCreate(ctx, hello, remote.SecretInput{Name: "a", Data: "<b>", PullRequest: true})
				},
				`POST /api/repos/octo/hello/secrets {"name":"a","data":"<b>","pull_request":true,"pull_request_push":false}`, `{}`, "",
			},
			"SecretUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.SecretUpdate(ctx, hello, "a", remote.SecretPatch{PullRequest: &no})
				},
				`PATCH /api/repos/octo/hello/secrets/a {"pull_request":false}`, `{}`, "",
			},
			"SecretDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.SecretDelete(ctx, hello, "a") },
				"DELETE /api/repos/octo/hello/secrets/a", "", "",
			},
			"OrgSecretAll": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.OrgSecretAll(ctx) },
				"GET /api/secrets", `[]`, "",
			},
			"OrgSecretList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.OrgSecretList(ctx, "octo") },
				"GET /api/secrets/octo", `[]`, "",
			},
			"OrgSecret": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.OrgSecret(ctx, "octo", "a") },
				"GET /api/secrets/octo/a", `{}`, "",
			},
			"OrgSecretCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.OrgSecretCreate(ctx, "octo", remote.SecretInput{Name: "a", Data: "b"})
				},
				`POST /api/secrets/octo {"name":"a","data":"b","pull_request":false,"pull_request_push":false}`, `{}`, "",
			},
			"OrgSecretUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.OrgSecretUpdate(ctx, "octo", "a", remote.SecretPatch{Data: &text})
				},
				`PATCH /api/secrets/octo/a {"data":"x"}`, `{}`, "",
			},
			"OrgSecretDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.OrgSecretDelete(ctx, "octo", "a")
				},
				"DELETE /api/secrets/octo/a", "", "",
			},
			"CronList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.CronList(ctx, hello) },
				"GET /api/repos/octo/hello/cron", `[]`, "",
			},
			"Cron": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Cron(ctx, hello, "nightly") },
				"GET /api/repos/octo/hello/cron/nightly", `{}`, "",
			},
			"CronCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.CronCreate(ctx, hello, remote.CronInput{Name: "nightly", Expr: "@daily", Branch: "main"})
				},
				`POST /api/repos/octo/hello/cron {"name":"nightly","expr":"@daily","branch":"main"}`, `{}`, "",
			},
			"CronUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.CronUpdate(ctx, hello, "nightly", remote.CronPatch{Disabled: &yes})
				},
				`PATCH /api/repos/octo/hello/cron/nightly {"disabled":true}`, `{}`, "",
			},
			"CronExec": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.CronExec(ctx, hello, "nightly") },
				"POST /api/repos/octo/hello/cron/nightly", `{}`, "",
			},
			"CronDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.CronDelete(ctx, hello, "nightly")
				},
				"DELETE /api/repos/octo/hello/cron/nightly", "", "",
			},
		},
		"2.6 users, templates, queue, system": {
			"UserList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.UserList(ctx) },
				"GET /api/users", `[{"login":"a","token":"hidden"}]`, "[a]",
			},
			"User": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.User(ctx, "a") },
				"GET /api/users/a", `{"login":"a"}`, "a",
			},
			"UserCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.UserCreate(ctx, remote.UserInput{Login: "a", Machine: true})
				},
				`POST /api/users {"login":"a","admin":false,"machine":true}`, `{"login":"a","token":"hidden"}`, "a",
			},
			"UserUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.UserUpdate(ctx, "a", remote.UserPatch{Active: &no})
				},
				`PATCH /api/users/a {"active":false}`, `{}`, "",
			},
			"UserTokenRotate": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.UserTokenRotate(ctx, "a") },
				"POST /api/users/a/token/rotate", `{"login":"a","message":"done"}`, "",
			},
			"UserDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.UserDelete(ctx, "a") },
				"DELETE /api/users/a", "", "",
			},
			"UserRepos": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.UserRepos(ctx, "a") },
				"GET /api/users/a/repos", `[]`, "",
			},
			"TemplateAll": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.TemplateAll(ctx) },
				"GET /api/templates", `[]`, "",
			},
			"TemplateList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.TemplateList(ctx, "octo") },
				"GET /api/templates/octo", `[]`, "",
			},
			"Template": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Template(ctx, "octo", "a.yml") },
				"GET /api/templates/octo/a.yml", `{}`, "",
			},
			"TemplateCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.TemplateCreate(ctx, "octo", "a.yml", "kind: pipeline")
				},
				`POST /api/templates/octo {"data":"kind: pipeline","name":"a.yml"}`, `{}`, "",
			},
			"TemplateUpdate": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return c.TemplateUpdate(ctx, "octo", "a.yml", "kind: pipeline")
				},
				`PATCH /api/templates/octo/a.yml {"data":"kind: pipeline","namespace":"octo"}`, `{}`, "",
			},
			"TemplateDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					return nil, c.TemplateDelete(ctx, "octo", "a.yml")
				},
				"DELETE /api/templates/octo/a.yml", "", "",
			},
			"QueueList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.QueueList(ctx) },
				"GET /api/queue", `[{"id":5,"depends_on":["a"],"labels":{"a":"b"}}]`, "",
			},
			"QueuePause": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.QueuePause(ctx) },
				"DELETE /api/queue", "", "",
			},
			"QueueResume": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.QueueResume(ctx) },
				"POST /api/queue", "", "",
			},
			"Stats": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Stats(ctx) },
				"GET /api/system/stats", `{"users":{"total":2},"streams":{"5":1},"pipelines":[{"os":"linux"}]}`, "",
			},
			"Version": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Version(ctx) },
				"GET /version", `{"version":"2.25.0"}`, "&{Source: Version:2.25.0 Commit:}",
			},
			"Varz": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.Varz(ctx) },
				"GET /varz", `{"scm":{"url":"https://x","rate":{"limit":5}},"license":{"kind":"free"}}`, "",
			},
			"Health": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.Health(ctx) },
				"GET /healthz", "OK", "",
			},
			"Metrics": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					text, err := c.Metrics(ctx)
					return string(text), err
				},
				"GET /metrics", "drone_a 1\n", "drone_a 1\n",
			},
			"Badge": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					svg, err := c.Badge(ctx, hello, "main", "")
					return string(svg), err
				},
				"GET /api/badges/octo/hello/status.svg?branch=main", "<svg/>", "<svg/>",
			},
			"CCMenu": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.CCMenu(ctx, hello) },
				"GET /api/badges/octo/hello/cc.xml", "<Projects/>", "",
			},
			"ServerList": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.ServerList(ctx) },
				"GET /api/servers", `[{"name":"a","tls_key":"aGlkZGVu","secret":"hidden"}]`, "[a]",
			},
			"ServerInfo": {
				func(ctx context.Context, c *remote.Client) (any, error) {
					s, err := c.ServerInfo(ctx, "a")
					return string(s.TLSKey), err
				},
				"GET /api/servers/a", `{"name":"a","tls_key":"a2V5"}`, "key",
			},
			"ServerCreate": {
				func(ctx context.Context, c *remote.Client) (any, error) { return c.ServerCreate(ctx) },
				"POST /api/servers", `{}`, "",
			},
			"ServerDelete": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.ServerDelete(ctx, "a", false) },
				"DELETE /api/servers/a", "", "",
			},
			"ServerDelete force": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.ServerDelete(ctx, "a", true) },
				"DELETE /api/servers/a?force=true", "", "",
			},
			"AutoscalePause": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.AutoscalePause(ctx) },
				"POST /api/pause", "", "",
			},
			"AutoscaleResume": {
				func(ctx context.Context, c *remote.Client) (any, error) { return nil, c.AutoscaleResume(ctx) },
				"POST /api/resume", "", "",
			},
		},
	} {
		t.Run(section, func(t *testing.T) {
			for name, tc := range cases {
				t.Run(name, func(t *testing.T) {
					asked := ""
					c := serve(t, func(w http.ResponseWriter, r *http.Request) {
						body, err := io.ReadAll(r.Body)
						if err != nil {
							t.Error(err)
						}
						asked = strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(bytes.TrimSpace(body)))
						if tc.answer == "" {
							w.WriteHeader(http.StatusNoContent)
							return
						}
						answer(w, 200, "application/json", tc.answer)
					})
					got, err := tc.call(t.Context(), c)
					if err != nil {
						t.Fatal(err)
					}
					if asked != tc.want {
						t.Errorf("asked %s\nwant  %s", asked, tc.want)
					}
					if text := fmt.Sprintf("%+v", got); tc.got != "" && text != tc.got {
						t.Errorf("got %s, want %s", text, tc.got)
					}
				})
			}
		})
	}
}

// TestFields reads each type from JSON with all fields of section 2.7 and compares
// it with what is written again: none is lost.
func TestFields(t *testing.T) {
	step := `{"id":1,"step_id":2,"number":3,"name":"a","status":"error","error":"e","errignore":true,"exit_code":4,` +
		`"started":5,"stopped":6,"version":7,"depends_on":["b"],"image":"c","detached":true,"schema":"d"}`
	stage := `{"id":1,"repo_id":2,"build_id":3,"number":4,"name":"a","kind":"pipeline","type":"docker","status":"running",` +
		`"error":"e","errignore":true,"exit_code":5,"machine":"m","os":"linux","arch":"arm","variant":"v7","kernel":"k",` +
		`"limit":6,"throttle":7,"started":8,"stopped":9,"created":10,"updated":11,"version":12,"on_success":true,` +
		`"on_failure":true,"depends_on":["b"],"labels":{"c":"d"},"steps":[` + step + `]}`
	build := `{"id":1,"repo_id":2,"number":3,"parent":4,"trigger":"@hook","status":"pending","error":"e","event":"push",` +
		`"action":"a","link":"l","timestamp":0,"title":"t","message":"m\n","before":"b","after":"c","ref":"refs/heads/main",` +
		`"source_repo":"f","source":"s","target":"main","author_login":"d","author_name":"n","author_email":"@",` +
		`"author_avatar":"v","sender":"g","params":{"A":"b"},"cron":"h","deploy_to":"i","deploy_id":5,"debug":true,` +
		`"started":6,"finished":7,"created":8,"updated":9,"version":10,"stages":[` + stage + `]}`
	for text, value := range map[string]any{
		`{"id":1,"login":"a","email":"b","machine":true,"admin":true,"active":true,"avatar":"c","syncing":true,"synced":2,` +
			`"created":3,"updated":4,"last_login":5,"token":"d"}`: new(remote.User),
		`{"id":1,"uid":"2","user_id":3,"namespace":"octo","name":"hello","slug":"octo/hello","scm":"","git_http_url":"h",` +
			`"git_ssh_url":"s","link":"l","default_branch":"main","private":true,"visibility":"private","active":true,` +
			`"config_path":".drone.yml","trusted":true,"protected":true,"ignore_forks":true,"ignore_pull_requests":true,` +
			`"auto_cancel_pull_requests":true,"auto_cancel_pushes":true,"auto_cancel_running":true,"timeout":60,"throttle":4,` +
			`"counter":5,"synced":6,"created":7,"updated":8,"version":9,"archived":true,"build":` + build + `,` +
			`"permissions":{"read":true,"write":true,"admin":true}}`: new(remote.Repo),
		`{"pos":1,"out":"\u001b[0m\r","time":2}`: new(remote.Line),
		`{"id":1,"repo_id":2,"namespace":"n","name":"a","type":"t","pull_request":true,"pull_request_push":true}`: new(remote.Secret),
		`{"id":1,"repo_id":2,"name":"a","expr":"@daily","next":3,"prev":4,"event":"push","branch":"main","target":"t",` +
			`"disabled":true,"created":5,"updated":6,"version":7}`: new(remote.Cron),
		`{"id":1,"name":"a.yml","namespace":"n","data":"d","created":2,"updated":3}`: new(remote.Template),
		`{"repo_namespace":"a","repo_name":"b","repo_slug":"a/b","build_number":1,"build_author":"c","build_author_name":"d",` +
			`"build_author_email":"e","build_author_avatar":"f","build_sender":"g","build_started":2,"build_finished":3,` +
			`"build_created":4,"build_updated":5,"stage_name":"h","stage_kind":"i","stage_type":"j","stage_status":"k",` +
			`"stage_machine":"l","stage_os":"m","stage_arch":"n","stage_variant":"o","stage_kernel":"p","stage_limit":"q",` +
			`"stage_limit_repo":"r","stage_started":6,"stage_stopped":7}`: new(remote.RepoBuildStage),
		`{"id":"1","provider":"a","state":"running","name":"b","image":"c","region":"d","size":"e","address":"f","capacity":2,` +
			`"secret":"g","error":"h","ca_key":"aQ==","ca_cert":"ag==","tls_key":"aw==","tls_cert":"bA==","created":3,` +
			`"updated":4,"started":5,"stopped":6}`: new(remote.Server),
		`{"source":"a","version":"b","commit":"c"}`:                                                          new(remote.Version),
		`{"scm":{"url":"a","rate":{"limit":1,"remaining":2,"reset":3}},"license":{"kind":"free","seats":0}}`: new(remote.Varz),
		`{"user_id":1,"repo_id":"2","login":"a","avatar":"b","read":true,"write":true,"admin":true,"synced":3,"created":4,` +
			`"updated":5}`: new(remote.Collaborator),
	} {
		if err := json.Unmarshal([]byte(text), value); err != nil {
			t.Errorf("%T: %v", value, err)
			continue
		}
		again, err := json.Marshal(value)
		if err != nil || string(again) != text {
			t.Errorf("%T: %v\n%s\n%s", value, err, again, text)
		}
	}
}

// TestNothingStarted: § 2.3, the `null` build.
func TestNothingStarted(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "application/json", "null") })
	ctx := t.Context()
	for name, call := range map[string]func() (*remote.Build, error){
		"create":   func() (*remote.Build, error) { return c.BuildCreate(ctx, hello, remote.NewBuild{}) },
		"restart":  func() (*remote.Build, error) { return c.BuildRestart(ctx, hello, 1, nil, false) },
		"promote":  func() (*remote.Build, error) { return c.BuildPromote(ctx, hello, 1, "a", nil) },
		"rollback": func() (*remote.Build, error) { return c.BuildRollback(ctx, hello, 1, "a", nil) },
		"cron":     func() (*remote.Build, error) { return c.CronExec(ctx, hello, "nightly") },
	} {
		if _, err := call(); !errors.Is(err, remote.ErrNothingStarted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Build(ctx, hello, 1); err == nil || errors.Is(err, remote.ErrNothingStarted) {
		t.Errorf("null where a build is asked for: %v", err)
	}
}

func TestBuildAll(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		first, size := 250, 100
		switch r.FormValue("page") {
		case "2":
			first = 150
		case "3":
			first, size = 50, 50
		}
		page := make([]remote.Build, size)
		for i := range page {
			page[i].Number = int64(first - i)
		}
		body, err := json.Marshal(page)
		if err != nil {
			t.Error(err)
		}
		answer(w, 200, "application/json", string(body))
	})
	want := int64(250)
	for build, err := range c.BuildAll(t.Context(), hello, remote.BuildFilter{Branch: "main"}) {
		if err != nil || build.Number != want {
			t.Fatalf("build %d, want %d, %v", build.Number, want, err)
		}
		want--
	}
	if got := strings.Join(asked, " "); want != 0 || got != "branch=main&page=1&per_page=100 branch=main&page=2&per_page=100 branch=main&page=3&per_page=100" {
		t.Errorf("%d builds left, asked %s", want, got)
	}
	asked = nil
	for range c.BuildAll(t.Context(), hello, remote.BuildFilter{}) {
		break
	}
	if len(asked) != 1 {
		t.Errorf("for one build asked %s", asked)
	}
}
