package exec_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// serial is a plan of steps that follow each other.
const serial = `
pipeline default
step clone
step test after=clone
step report after=test on_failure
step notify after=report always`

func scenes() map[string]scene {
	all := make(map[string]scene)
	for _, group := range []map[string]scene{
		stepScenes(), backgroundScenes(), pipelineScenes(), brokenScenes(), cancelScenes(), textScenes(), limitScenes(),
	} {
		maps.Copy(all, group)
	}
	return all
}

func stepScenes() map[string]scene {
	return map[string]scene{
		"success":      {plan: serial},
		"failure":      {plan: serial, engine: exits(map[string]int{"test": 3})},
		"only_never":   {plan: "pipeline p\nstep a never\nstep b never after=a"},
		"no_steps":     {plan: "pipeline p"},
		"no_pipelines": {plan: "pipeline p out\nstep a"},
		"out_of_memory": {plan: serial, engine: &fake.Engine{Scripts: map[string]fake.Script{
			"test": {Exit: exec.Exit{OOMKilled: true}},
		}}},
		"ignore": {
			plan:   "pipeline p\nstep a ignore\nstep b after=a\nstep c after=b on_failure",
			engine: exits(map[string]int{"a": 1}),
		},
		"ignore_does_not_cover_errors": {
			plan: "pipeline p\nstep a ignore\nstep b after=a\nstep c after=b on_failure",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {FailStart: &exec.StepError{
				Phase: exec.PhasePull, Err: errors.New(`cannot pull image "busybox"`), Hint: "log in",
			}}}},
		},
		"exit_78": {
			plan:   "pipeline p\nstep a\nstep b after=a\nstep c after=b on_failure\nstep d after=c always",
			engine: exits(map[string]int{"a": 78, "d": 1}),
		},
		"exit_78_leaves_always_steps_without_effect": {
			plan:   "pipeline p\nstep a\nstep b after=a always fast\nstep c after=b always\nstep d after=c\nstep e after=d always",
			engine: exits(map[string]int{"a": 78, "b": 1, "c": 78}),
		},
		"exit_78_leaves_errors_of_always_steps_uncounted": {
			plan: "pipeline p\nstep a\nstep b after=a always fast\nstep c after=b always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"a": {Exit: exec.Exit{Code: 78}},
				"b": {Err: errDisk},
			}},
		},
		"fast": {
			plan:   "pipeline p\nstep a fast\nstep b after=a\nstep c after=a always",
			engine: exits(map[string]int{"a": 2}),
		},
		"fast_kills_what_runs": {
			plan: "pipeline p\nstep slow\nstep quick fast after=hold\nstep hold\nstep late after=quick always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"slow":  {Forever: true},
				"hold":  {Meet: []string{"slow"}},
				"quick": {Exit: exec.Exit{Code: 1}},
			}},
		},
		"fast_with_exit_78": {
			plan:   "pipeline p\nstep a fast\nstep b after=a always",
			engine: exits(map[string]int{"a": 78}),
		},
		"fast_with_exit_255": {
			plan:   "pipeline p\nstep a fast\nstep b after=a always",
			engine: exits(map[string]int{"a": 255}),
		},
		"fast_step_that_is_left_out": {
			plan:   "pipeline p\nstep a fast never\nstep b after=a",
			engine: exits(map[string]int{"a": 1}),
		},
		"fast_does_not_cover_errors": {
			plan:   "pipeline p\nstep a fast\nstep b after=a always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {Err: errDisk}}},
		},
		"first_bad_step_of_the_list_decides": {
			plan: "pipeline p\nstep a after=b always\nstep b",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"a": {Err: &exec.StepError{Phase: exec.PhaseStart, Err: errDisk, Hint: "make room"}},
				"b": {Exit: exec.Exit{Code: 1}},
			}},
		},
		"first_bad_step_of_the_list_may_be_a_failure": {
			plan: "pipeline p\nstep b\nstep a after=b always",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"a": {Err: &exec.StepError{Phase: exec.PhaseStart, Err: errDisk, Hint: "make room"}},
				"b": {Exit: exec.Exit{Code: 1}},
			}},
		},
		"never_orders": {
			plan:   "pipeline p\nstep c after=b always\nstep b after=a never\nstep a",
			engine: exits(map[string]int{"a": 1}),
		},
		"pull_progress": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {
				Pull:     []exec.PullProgress{{Image: "busybox", Current: 1, Total: 2}, {Image: "busybox", Current: 2, Total: 2, Done: true}},
				Warnings: []string{"image is for another platform"},
			}}},
		},
	}
}

func backgroundScenes() map[string]scene {
	return map[string]scene{
		"service_ends_with_the_pipeline": {
			plan: "pipeline p\nservice db\nstep a after=db",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"db": {Forever: true, Last: "bye"},
			}},
		},
		"service_fails_early": hold("db", scene{
			plan:   "pipeline p\nservice db\nstep a after=db",
			engine: exits(map[string]int{"db": 1}),
		}),
		"service_succeeds_early": hold("db", scene{plan: "pipeline p\nservice db\nstep a after=db"}),
		"service_cannot_be_run": {
			plan: "pipeline p\nservice db\nstep a after=db\nstep b after=a on_failure",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"db": {FailStart: &exec.StepError{Phase: exec.PhaseCreate, Err: errDisk, Hint: "make room"}},
			}},
		},
		"detached_fast_step_fails": hold("bg", scene{
			plan:   "pipeline p\nstep bg detach fast\nstep a after=bg\nstep b after=a on_failure",
			engine: exits(map[string]int{"bg": 1}),
		}),
		"detached_step_exits_78": hold("bg", scene{
			plan:   "pipeline p\nstep bg detach fast\nstep a after=bg",
			engine: exits(map[string]int{"bg": 78}),
		}),
	}
}

// hold lets step a go on only when the end of step first has been told.
func hold(first string, s scene) scene {
	told := make(chan struct{})
	if s.engine == nil {
		s.engine = &fake.Engine{Scripts: map[string]fake.Script{}}
	}
	s.engine.Scripts["a"] = fake.Script{Until: told}
	s.engine.Scripts[first] = fake.Script{Meet: []string{"a"}, Exit: s.engine.Scripts[first].Exit}
	s.during = func(e exec.Event, _ context.CancelCauseFunc) {
		if e, ok := e.(exec.StepFinished); ok && e.Step == first {
			close(told)
		}
	}
	return s
}

const family = `
pipeline build
step a
pipeline lint
step a
pipeline left-out out after=lint
step a
pipeline publish after=build
step a
pipeline rescue after=build,left-out on_failure
step a
pipeline tell after=publish,rescue always
step a`

func pipelineScenes() map[string]scene {
	return map[string]scene{
		"pipelines":                 {plan: family},
		"pipelines_failure":         {plan: family, engine: exits(map[string]int{"build/a": 1})},
		"pipelines_sibling_failure": {plan: family, engine: exits(map[string]int{"lint/a": 1})},
		"skipped_pipeline_counts_as_done": {
			plan: "pipeline a\nstep s\npipeline b after=a on_failure\nstep s\npipeline c after=b\nstep s",
		},
		"on_failure_without_dependencies_runs": {
			plan: "pipeline p on_failure\nstep a",
		},
		"plan_order_among_the_ready": {
			plan: "pipeline a\nstep s\npipeline b after=a\nstep s\npipeline c\nstep s",
		},
	}
}

func brokenScenes() map[string]scene {
	return map[string]scene{
		"open_fails": {
			plan: "pipeline p\nservice db\nstep a never\nstep b always\npipeline q\nstep a\npipeline r after=p\nstep a",
			engine: &fake.Engine{OpenErr: map[string]error{"p": &exec.StepError{
				Phase: exec.PhaseOpen, Err: errors.New("cannot create network"), Hint: "remove unused networks",
			}}},
		},
		"engine_unreachable": {
			plan: "pipeline p\nstep a\npipeline q\nstep a",
			engine: &fake.Engine{OpenErr: map[string]error{"": fmt.Errorf("open: %w", &exec.UnreachableError{
				Address: "unix:///var/run/docker.sock", Err: errors.New("cannot connect to docker"), Hint: "is it started?",
			})}},
		},
		"engine_lost_in_a_step": {
			plan: "pipeline p\nstep a\nstep b after=a\npipeline q\nstep a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"p/a": {Err: &exec.UnreachableError{
				Err: errors.New("connection to docker lost"), Hint: "look at its log",
			}}}},
		},
		"close_fails": {
			plan:   "pipeline p\nstep a",
			engine: &fake.Engine{CloseErr: map[string]error{"": errors.New("network p is in use")}},
		},
		"step_panics": {
			plan: serial,
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"test": {Do: func(context.Context, *exec.Step, exec.IO) error { panic("index out of range") }},
			}},
		},
		"open_panics": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{OnOpen: func(context.Context, *exec.Pipeline, exec.Setting) {
				var p *exec.Pipeline
				_ = p.Name
			}},
		},
		"close_panics": {
			plan:   "pipeline p\nstep a",
			engine: &fake.Engine{OnClose: func(context.Context, *exec.Pipeline) { panic("no") }},
		},
		"notices_of_the_engine": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{OnOpen: func(_ context.Context, _ *exec.Pipeline, env exec.Setting) {
				env.Notify(exec.Notice{Warning: "the engine is old"})
				env.Notify(exec.Notice{Pull: &exec.PullProgress{Image: "busybox", Total: 2}})
			}},
		},
	}
}

// when cancels the run with a cause when an event is shown as text.
func when(text string, cause error) func(exec.Event, context.CancelCauseFunc) {
	return func(e exec.Event, cancel context.CancelCauseFunc) {
		if show(e) == text {
			cancel(cause)
		}
	}
}

func cancelScenes() map[string]scene {
	forever := &fake.Script{Forever: true, Output: []string{"up\n"}, Last: "dying words"}
	return map[string]scene{
		"cancel": {
			plan:   serial + "\npipeline other\nstep a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"test": *forever}},
			during: when(`default/test:1 "up"`, errors.New("interrupted")),
		},
		"cancel_without_cause": {
			plan:   serial,
			engine: &fake.Engine{Scripts: map[string]fake.Script{"test": *forever}},
			during: when(`default/test:1 "up"`, nil),
		},
		"timeout": {
			plan:   serial,
			engine: &fake.Engine{Scripts: map[string]fake.Script{"test": *forever}},
			during: when(`default/test:1 "up"`, fmt.Errorf("after 1h: %w", exec.ErrTimeout)),
		},
		"cancel_before_the_start": {
			plan:   serial,
			during: when(`run r1 started: push .drone.yml ["default"]`, errors.New("interrupted")),
		},
		"cancel_while_opening": {
			plan: serial,
			engine: &fake.Engine{OnOpen: func(ctx context.Context, _ *exec.Pipeline, _ exec.Setting) {
				<-ctx.Done()
			}},
			during: when("default started", errors.New("interrupted")),
		},
		"cancel_between_steps": {
			plan:   serial,
			during: when("default/clone finished: success 0", errors.New("interrupted")),
		},
		"cancel_at_the_very_end_changes_nothing": {
			plan:   "pipeline p\nstep a",
			during: when("p finished: success", errors.New("interrupted")),
		},
		"cancel_kills_services": cancelService(),
		"deaf_step_is_left_behind": {
			plan: serial,
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"test": {Forever: true, Deaf: true, Output: []string{"up\n"}},
			}},
			opts:   exec.Options{Cleanup: 200 * time.Millisecond},
			during: when(`default/test:1 "up"`, errors.New("interrupted")),
		},
		"deaf_service_is_left_behind": {
			plan: "pipeline p\nservice db\nstep a after=db",
			engine: &fake.Engine{Scripts: map[string]fake.Script{
				"db": {Forever: true, Deaf: true},
			}},
			opts: exec.Options{Cleanup: 200 * time.Millisecond},
		},
		"deaf_open_is_left_behind": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{OnOpen: func(context.Context, *exec.Pipeline, exec.Setting) {
				<-make(chan struct{})
			}},
			opts:   exec.Options{Cleanup: 200 * time.Millisecond},
			during: when("p started", errors.New("interrupted")),
		},
		"deaf_close_is_left_behind": {
			plan:   "pipeline p\nstep a",
			engine: &fake.Engine{OnClose: func(context.Context, *exec.Pipeline) { <-make(chan struct{}) }},
			opts:   exec.Options{Cleanup: 200 * time.Millisecond},
		},
	}
}

// cancelService ends the service first, so that the order is known.
func cancelService() scene {
	told, interrupted := make(chan struct{}), errors.New("interrupted")
	return scene{
		plan: "pipeline p\nservice db\nstep a after=db",
		engine: &fake.Engine{Scripts: map[string]fake.Script{
			"db": {Forever: true},
			"a": {Output: []string{"up\n"}, Do: func(context.Context, *exec.Step, exec.IO) error {
				<-told
				return interrupted
			}},
		}},
		during: func(e exec.Event, cancel context.CancelCauseFunc) {
			switch show(e) {
			case `p/a:1 "up"`:
				cancel(interrupted)
			case `p/db finished: killed 137 ignored error="interrupted"`:
				close(told)
			}
		},
	}
}

func textScenes() map[string]scene {
	secrets := map[string]string{
		"token": "s3cr3t", "key": "-----BEGIN-----\n  line-one \r\nab\n", "pin": "12", "empty": "", "login": `{"auth":"x"}`,
	}
	lookup := func(name string) (string, bool) { v, ok := secrets[name]; return v, ok }
	return map[string]scene{
		"output_is_cut_into_lines": {
			plan: "pipeline p\nstep a",
			engine: &fake.Engine{Scripts: map[string]fake.Script{"a": {
				Output: []string{"one\ntw", "o\n\nthree\r\n\xff\x00\n", "last"},
			}}},
		},
		"secrets_are_masked": {
			plan: "pipeline p pull-secret=login\nstep a secret=T:token secret=K:key\nstep b after=a secret=E:empty\nstep c after=b",
			engine: &fake.Engine{
				Scripts: map[string]fake.Script{
					"a": {Output: []string{"x s3cr3", "ts3cr3t y\n[line-one] ab\n"}, Warnings: []string{"about s3cr3t"}},
					"b": {Output: []string{"other steps, too: s3cr3t"}},
					"c": {Err: &exec.StepError{
						Phase: exec.PhaseCreate, Err: errors.New(`bad login {"auth":"x"}`), Hint: "s3cr3t is not valid",
					}},
				},
				CloseErr: map[string]error{"": errors.New("s3cr3t is in use")},
			},
			opts: exec.Options{Secret: lookup},
		},
		"secrets_in_an_unreachable_engine": {
			plan: "pipeline p\nstep a secret=T:token\npipeline q\nstep a",
			engine: &fake.Engine{OpenErr: map[string]error{"": &exec.UnreachableError{
				Err: errors.New("no route to s3cr3t.example"), Hint: "s3cr3t",
			}}},
			opts: exec.Options{Secret: lookup},
		},
		"short_secrets_are_named": {
			plan: "pipeline p\nstep a secret=P:pin secret=T:token\npipeline q\nstep a secret=P:pin secret=E:empty secret=N:nowhere",
			opts: exec.Options{Secret: lookup},
		},
	}
}
