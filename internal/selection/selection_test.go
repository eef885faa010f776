package selection_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/drone-laptop/drone/internal/selection"
	"github.com/drone-laptop/drone/remote"
)

var errGone = errors.New("gone")

// upTo gives builds from number down to 1, and an error where somebody goes on.
func upTo(number int64) iter.Seq2[remote.Build, error] {
	return func(yield func(remote.Build, error) bool) {
		for n := number; n > 0; n-- {
			event := remote.EventPush
			if n%2 == 0 {
				event = remote.EventTag
			}
			if !yield(remote.Build{Number: n, Event: event}, nil) {
				return
			}
		}
		yield(remote.Build{}, errGone)
	}
}

func numbers(list []remote.Build) (numbers []int64) {
	for _, b := range list {
		numbers = append(numbers, b.Number)
	}
	return numbers
}

func TestPage(t *testing.T) {
	for _, tc := range []struct {
		filter     selection.Filter
		page, size int
		want       []int64
		err        error
	}{
		{selection.Filter{}, 1, 3, []int64{10, 9, 8}, nil},
		{selection.Filter{}, 2, 3, []int64{7, 6, 5}, nil},
		{selection.Filter{Event: "tag"}, 1, 3, []int64{10, 8, 6}, nil},
		{selection.Filter{Event: "tag"}, 2, 2, []int64{6, 4}, nil},
		{selection.Filter{Event: "tag", Status: "failure"}, 1, 1, nil, errGone},
		{selection.Filter{}, 3, 4, nil, errGone},
	} {
		got, err := tc.filter.Page(upTo(10), tc.page, tc.size)
		if !slices.Equal(numbers(got), tc.want) || !errors.Is(err, tc.err) {
			t.Errorf("%+v: got %v, %v", tc, numbers(got), err)
		}
	}
}

// server has builds, the newest first.
type server struct {
	builds []remote.Build
	calls  int
	err    error
}

func (s *server) BuildList(_ context.Context, _ remote.Slug, f remote.BuildFilter, _, size int) ([]remote.Build, error) {
	s.calls++
	list := slices.DeleteFunc(slices.Clone(s.builds), func(b remote.Build) bool { return f.Branch != "" && b.Target != f.Branch })
	return list[:min(size, len(list))], s.err
}

func TestChoice(t *testing.T) {
	s := &server{}
	for n := int64(150); n > 0; n-- {
		b := remote.Build{Number: n, Source: "main", Target: "main", After: fmt.Sprintf("%08d", n)}
		switch n {
		case 20:
			b.Source, b.Target = "topic", "topic" // too old to be among the recent ones
		case 140:
			b.Source = "topic" // a pull request
		}
		s.builds = append(s.builds, b)
	}
	for _, tc := range []struct {
		choice selection.Choice
		want   []int64
		calls  int
	}{
		{selection.Choice{Commit: "0000014"}, []int64{149, 148, 147, 146, 145, 144, 143, 142, 141, 140}, 1},
		{selection.Choice{Commit: "x"}, nil, 1},
		{selection.Choice{Branch: "topic"}, []int64{140, 20}, 2},
		{selection.Choice{Branch: "none"}, nil, 2},
	} {
		s.calls = 0
		got, err := tc.choice.List(t.Context(), s, remote.Slug{})
		if err != nil || !slices.Equal(numbers(got), tc.want) || s.calls != tc.calls {
			t.Errorf("%+v: got %v after %d calls, %v", tc.choice, numbers(got), s.calls, err)
		}
	}
	if got, err := (selection.Choice{}).List(t.Context(), s, remote.Slug{}); err != nil || len(got) != selection.Recent {
		t.Errorf("there are %d recent builds, %v", len(got), err)
	}
	s.err = errGone
	if _, err := (selection.Choice{Branch: "main"}).List(t.Context(), s, remote.Slug{}); !errors.Is(err, errGone) {
		t.Errorf("the error is %v", err)
	}
}

func TestLast(t *testing.T) {
	got := selection.Last([]remote.Build{
		{Number: 5, Event: "push", Ref: "refs/heads/main"}, {Number: 4, Event: "push", Ref: "refs/heads/main"},
		{Number: 3, Event: "tag", Ref: "refs/tags/v1"}, {Number: 2, Event: "push", Ref: "refs/heads/main"}, {Number: 1, Event: "cron", Cron: "nightly"},
	})
	if want := []int64{5, 3, 1}; !slices.Equal(numbers(got), want) {
		t.Errorf("got %v, want %v", numbers(got), want)
	}
}

var build = &remote.Build{Number: 42, Stages: []remote.Stage{
	{Number: 1, Name: "build", Status: remote.StateSuccess, Steps: []remote.Step{{Number: 1, Name: "clone"}, {Number: 2, Name: "test"}}},
	{Number: 2, Name: "deploy", Status: remote.StateBlocked},
	{Number: 3, Name: "notify", Status: remote.StateBlocked},
}}

func TestBlocked(t *testing.T) {
	for _, tc := range []struct {
		build *remote.Build
		words []string
		want  string // numbers, or the error with its hint
	}{
		{build, nil, "[2 3]"},
		{build, []string{"notify"}, "[3]"},
		{build, []string{"3", "deploy"}, "[3 2]"},
		{build, []string{"build"}, "stage 1 (build) of build 42 is not blocked, it is success; "},
		{build, []string{"2", "x"}, `build 42 has no stage "x"; blocked there: 2 (deploy), 3 (notify)`},
		{&remote.Build{Number: 1}, []string{"x"}, `build 1 has no stage "x"; blocked there: none`},
		{&remote.Build{Number: 1}, nil, "no stage of build 1 is blocked; "},
	} {
		stages, err := selection.Blocked(tc.build, tc.words)
		got := []int{}
		for _, s := range stages {
			got = append(got, s.Number)
		}
		if text := said(t, fmt.Sprint(got), err); text != tc.want {
			t.Errorf("%q: got %s, want %s", tc.words, text, tc.want)
		}
	}
}

// said is what came of a selection, or the error with its hint.
func said(t *testing.T, got string, err error) string {
	t.Helper()
	if err == nil {
		return got
	}
	wrong, ok := errors.AsType[*selection.Error](err)
	if !ok {
		t.Fatalf("%v is no *Error", err)
	}
	return wrong.Message + "; " + wrong.Hint
}

func TestSteps(t *testing.T) {
	for _, tc := range []struct {
		build *remote.Build
		words []string
		want  string
	}{
		{build, []string{"1"}, "[1/1 1/2]"},
		{build, []string{"build", "test"}, "[1/2]"},
		{build, []string{"1", "1"}, "[1/1]"},
		{build, []string{"1", "x"}, `stage 1 of build 42 has no step "x"; it has 1 (clone), 2 (test)`},
		{build, []string{"deploy", "x"}, "stage deploy of build 42 has no steps: they are known when it has started; "},
		{build, []string{"x"}, `build 42 has no stage "x"; it has 1 (build), 2 (deploy), 3 (notify)`},
		{&remote.Build{Number: 1, Error: "yaml: oops"}, []string{"x"}, "build 1 has no stages; yaml: oops"},
	} {
		is, err := selection.Steps(tc.build, tc.words)
		got := []string{}
		for _, stage := range tc.build.Stages {
			for _, step := range stage.Steps {
				if err == nil && is(&stage, &step) {
					got = append(got, fmt.Sprintf("%d/%d", stage.Number, step.Number))
				}
			}
		}
		if text := said(t, fmt.Sprint(got), err); text != tc.want {
			t.Errorf("%q: got %s, want %s", tc.words, text, tc.want)
		}
	}
}

func ExampleSteps() {
	_, err := selection.Steps(build, []string{"build", "tests"})
	fmt.Println(err)
	// Output: stage build of build 42 has no step "tests"
}

func ExampleFailed() {
	for _, step := range []remote.Step{{Status: remote.StateFailure}, {Status: remote.StateFailure, ErrIgnore: true}, {Status: remote.StateSuccess}} {
		fmt.Println(selection.Failed(nil, &step))
	}
	// Output:
	// true
	// false
	// false
}
