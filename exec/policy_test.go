package exec

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestDecide(t *testing.T) {
	const none = "no step has failed"
	fine := condition{none: none}
	failed := condition{none: none, failed: "step a failed"}
	ended := condition{none: none, ended: "step a ended it"}
	both := condition{none: none, failed: "step b failed", ended: "step a ended it"}
	cut := condition{none: none, cut: "interrupted", failed: "step a failed", ended: "step b ended it"}
	cases := []struct {
		policy Policy
		c      condition
		want   string // reason of not running, "" when it runs
	}{
		{OnSuccess, fine, ""},
		{"", fine, ""},
		{OnFailure, fine, none},
		{Always, fine, ""},
		{Never, fine, "it waits for a status that never comes"},
		{Never, failed, "it waits for a status that never comes"},
		{Never, cut, "interrupted"},
		{OnSuccess, failed, "step a failed"},
		{"", failed, "step a failed"},
		{OnFailure, failed, ""},
		{Always, failed, ""},
		{OnSuccess, ended, "step a ended it"},
		{OnFailure, ended, "step a ended it"},
		{Always, ended, ""},
		{OnSuccess, both, "step a ended it"},
		{OnFailure, both, "step a ended it"},
		{Always, both, ""},
		{OnSuccess, cut, "interrupted"},
		{OnFailure, cut, "interrupted"},
		{Always, cut, "interrupted"},
	}
	for _, tc := range cases {
		runs, reason := decide(tc.policy, tc.c)
		if runs != (tc.want == "") || reason != tc.want {
			t.Errorf("decide(%q, %+v) = %v, %q, want reason %q", tc.policy, tc.c, runs, reason, tc.want)
		}
	}
}

func TestJudge(t *testing.T) {
	cause := errors.New("interrupted")
	pull := &StepError{Phase: PhasePull, Err: errors.New("no such image"), Hint: "check the name"}
	type testCase struct {
		failure            Failure
		background, frozen bool
		exit               Exit
		err, cause         error
		want               result
	}
	limit := &TimeoutError{Limit: LimitRun, After: time.Hour}
	cases := map[string]testCase{
		"success":           {want: result{status: StatusSuccess}},
		"failure":           {exit: Exit{Code: 4}, want: result{status: StatusFailure, code: 4}},
		"ignored":           {failure: FailureIgnore, exit: Exit{Code: 4}, want: result{status: StatusFailure, code: 4, ignored: true}},
		"fast":              {failure: FailureFast, exit: Exit{Code: 4}, want: result{status: StatusFailure, code: 4}},
		"78":                {exit: Exit{Code: 78}, want: result{status: StatusSuccess, code: 78}},
		"78 in background":  {background: true, exit: Exit{Code: 78}, want: result{status: StatusFailure, code: 78, ignored: true}},
		"background":        {background: true, exit: Exit{Code: 1}, want: result{status: StatusFailure, code: 1, ignored: true}},
		"frozen":            {frozen: true, exit: Exit{Code: 1}, want: result{status: StatusFailure, code: 1, ignored: true}},
		"out of memory":     {exit: Exit{OOMKilled: true, Code: 1}, want: result{status: StatusFailure, code: 137, oom: true}},
		"out of memory, ok": {failure: FailureIgnore, exit: Exit{OOMKilled: true}, want: result{status: StatusFailure, code: 137, oom: true, ignored: true}},
		"error": {failure: FailureIgnore, err: errors.New("boom"), want: result{
			status: StatusError, code: 255, message: "boom", phase: PhaseRun,
		}},
		"error with details": {err: fmt.Errorf("engine: %w", pull), want: result{
			status: StatusError, code: 255, message: "engine: no such image", phase: PhasePull, hint: "check the name",
		}},
		"error in background": {background: true, err: pull, want: result{
			status: StatusError, code: 255, message: "no such image", phase: PhasePull, hint: "check the name", ignored: true,
		}},
		"killed": {failure: FailureIgnore, err: cause, cause: cause, want: result{
			status: StatusKilled, code: 137, message: "interrupted", cancelled: true,
		}},
		"killed by code": {exit: Exit{Code: 143}, cause: cause, want: result{
			status: StatusKilled, code: 137, message: "interrupted", cancelled: true,
		}},
		"limit": {failure: FailureIgnore, err: limit, cause: limit, want: result{
			status: StatusKilled, code: 137, message: limit.Error(), cancelled: true, timedOut: true,
		}},
		"limit of a frozen step": {frozen: true, err: limit, cause: limit, want: result{
			status: StatusKilled, code: 137, message: limit.Error(), cancelled: true, timedOut: true,
		}},
		"limit of the run, in background": {background: true, err: limit, cause: limit, want: result{
			status: StatusKilled, code: 137, message: limit.Error(), cancelled: true, ignored: true,
		}},
		"ended in time": {cause: cause, want: result{status: StatusSuccess}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := step{Step: &Step{Failure: tc.failure}, background: tc.background, frozen: tc.frozen}
			got := s.judge(tc.exit, tc.err, tc.cause)
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestCauseText(t *testing.T) {
	cases := []struct {
		cause error
		want  string
	}{
		{errors.New("interrupted"), "interrupted"},
		{context.Canceled, "the run was cancelled"},
		{fmt.Errorf("after 1h: %w", ErrTimeout), "time limit of the run exceeded"},
		{context.DeadlineExceeded, "time limit of the run exceeded"},
		{&TimeoutError{Limit: LimitRun, After: time.Hour}, "the run was ended by its time limit of 1h0m0s (--timeout)"},
		{&TimeoutError{Limit: LimitStep, After: time.Minute}, "killed after 1m0s (--step-timeout)"},
		{&TimeoutError{Limit: LimitIdle, After: time.Minute}, "killed after 1m0s without output (--idle-timeout)"},
		{&PanicError{Value: "no", Site: "a.go:1"}, "the program has a defect: it panicked at a.go:1: no"},
	}
	for _, tc := range cases {
		if got := causeText(tc.cause); got != tc.want {
			t.Errorf("causeText(%v) = %q, want %q", tc.cause, got, tc.want)
		}
	}
}
