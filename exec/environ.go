package exec

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// moment is what is known only when a step starts.
type moment struct {
	now          time.Time
	runStarted   time.Time
	stageStarted time.Time
	// before is a snapshot of the run, made when the pipeline started: whether
	// it was the first, and which pipelines had failed.
	first        bool
	failedStages []string
	// failedSteps are the steps of this pipeline that failed and count, in the
	// order of the list; failed is the status of the first one.
	failedSteps []string
	failed      Status
	// session is what an Environer adds.
	session map[string]string
}

// environ is the complete environment of a step: the layers of the plan, what
// is known at its start (reference §5.1 (11), §5.2, §9.5), then its secrets.
func environ(p *Pipeline, s *Step, m moment, secrets map[string]string) map[string]string {
	env := make(map[string]string, len(p.Env)+len(m.session)+len(s.Env)+len(p.Fixed)+len(s.Secrets)+16)
	maps.Copy(env, p.Env)
	maps.Copy(env, m.session)
	maps.Copy(env, s.Env)
	maps.Copy(env, p.Fixed)
	setMoment(env, m)
	if p.OldStatus {
		env["CI_BUILD_STATUS"], env["CI_BUILD_FINISHED"] = env["DRONE_BUILD_STATUS"], unix(m.now)
	}
	env["DRONE_STEP_NAME"] = s.Name
	env["DRONE_STEP_NUMBER"] = strconv.Itoa(s.Number)
	if !p.KeepEmpty {
		maps.DeleteFunc(env, func(_, value string) bool { return value == "" })
	}
	for _, ref := range s.Secrets {
		if ref.Env != "" {
			env[ref.Env] = secrets[ref.Name]
		}
	}
	return env
}

func setMoment(env map[string]string, m moment) {
	stage, build, raw := "success", "success", "running"
	if m.first {
		raw = "pending"
	}
	if len(m.failedSteps) > 0 {
		stage, raw = "failure", string(m.failed)
	}
	if len(m.failedSteps) > 0 || len(m.failedStages) > 0 {
		build = "failure"
	}
	env["DRONE_STAGE_STATUS"] = stage
	env["DRONE_BUILD_STATUS"] = build
	env["CI_BUILD_STATUS"] = raw
	unlessEmpty(env, "DRONE_FAILED_STEPS", strings.Join(m.failedSteps, ","))
	unlessEmpty(env, "DRONE_FAILED_STAGES", strings.Join(m.failedStages, ","))
	env["DRONE_STAGE_STARTED"] = unix(m.stageStarted)
	env["DRONE_STAGE_FINISHED"] = unix(m.now)
	otherwise(env, "DRONE_BUILD_STARTED", unix(m.runStarted))
	otherwise(env, "DRONE_BUILD_FINISHED", unix(m.now))
	otherwise(env, "CI_BUILD_STARTED", "0")
	otherwise(env, "CI_BUILD_FINISHED", "0")
}

// unlessEmpty sets a variable that must not exist without a value.
func unlessEmpty(env map[string]string, name, value string) {
	if value == "" {
		delete(env, name)
		return
	}
	env[name] = value
}

func otherwise(env map[string]string, name, value string) {
	if env[name] == "" {
		env[name] = value
	}
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
