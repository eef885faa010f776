package exec_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/exec/fake"
)

// madePlan has secrets that are made of others: a setting, and an image.
func madePlan() *exec.Plan {
	return &exec.Plan{
		Secrets: []exec.SecretSource{
			{Name: "url", Parts: []exec.SecretPart{{Text: "https://"}, {Secret: "key"}, {Text: "@"}, {Secret: "host"}}},
			{Name: "json", Parts: []exec.SecretPart{{Text: `{"k":"`}, {Secret: "key", JSON: true}, {Text: `"}`}}},
			{Name: "image", Parts: []exec.SecretPart{{Secret: "host"}, {Text: "/app"}}},
		},
		Pipelines: []*exec.Pipeline{{
			Name: "p", Type: "docker", Runs: true, Policy: exec.OnSuccess,
			Steps: []*exec.Step{{
				Name: "a", Kind: exec.KindStep, Policy: exec.OnSuccess, Image: "${host}/app", ImageSecret: "image",
				Secrets: []exec.SecretRef{
					{Env: "PLUGIN_URL", Name: "url", Position: "f:1:1"}, {Env: "PLUGIN_JSON", Name: "json", Position: "f:2:1"},
					{Name: "image", Position: "f:3:1"},
				},
			}},
		}},
	}
}

// TestMadeSecrets runs a step with values that are made of secrets. All of them
// are masked, and so are those that they are made of.
func TestMadeSecrets(t *testing.T) {
	values := map[string]string{"key": `se"cret`, "host": "registry.example.com"}
	lookup := func(name string) (string, bool) { v, ok := values[name]; return v, ok }
	var mu sync.Mutex
	env, image := map[string]string{}, ""
	engine := &fake.Engine{Scripts: map[string]fake.Script{"a": {Do: func(_ context.Context, s *exec.Step, io exec.IO) error {
		mu.Lock()
		defer mu.Unlock()
		env, image = io.Env, s.Image
		_, err := io.Output.Write([]byte(io.Env["PLUGIN_URL"] + " " + values["key"] + " " + image + "\n"))
		return err
	}}}}
	plan := madePlan()
	var shown strings.Builder
	_, err := exec.Run(context.Background(), plan, engine, exec.Options{Secret: lookup}, func(e exec.Event) {
		switch e := e.(type) {
		case exec.StepStarted:
			shown.WriteString(e.Image + "\n")
		case exec.StepOutput:
			shown.WriteString(e.Text + "\n")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{"url": env["PLUGIN_URL"], "json": env["PLUGIN_JSON"], "image": image}
	want := map[string]string{"url": `https://se"cret@registry.example.com`, "json": `{"k":"se\"cret"}`, "image": "registry.example.com/app"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the step got (-want +got):\n%s", diff)
	}
	if _, has := env[""]; has {
		t.Error("there is a variable without a name")
	}
	if diff := cmp.Diff("${host}/app\n****** ****** ******\n", shown.String()); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if plan.Pipelines[0].Steps[0].Image != "${host}/app" {
		t.Error("the plan was changed")
	}
}

// TestMadeSecretsMissing names the secrets that the others are made of, unless
// somebody has a value for the whole.
func TestMadeSecretsMissing(t *testing.T) {
	values := map[string]string{"host": "x", "json": "y"}
	got := exec.MissingSecrets(madePlan(), func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	want := []exec.MissingSecret{{Pipeline: "p", Step: "a", Name: "key", Position: "f:1:1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
