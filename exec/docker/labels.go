package docker

import (
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/drone-laptop/drone/exec"
)

// The labels of every object an engine makes. Pipeline.Labels are added.
const (
	Label          = "io.drone"            // "true"
	LabelRun       = "io.drone.run"        // Setting.Run
	LabelPipeline  = "io.drone.pipeline"   // name of the pipeline
	LabelStep      = "io.drone.step"       // name of the step, on containers
	LabelOwnerPID  = "io.drone.owner.pid"  // process that made it
	LabelOwnerBoot = "io.drone.owner.boot" // boot id of its machine, where known
	LabelOwnerHost = "io.drone.owner.host" // name of its machine
)

// bootIDPath identifies the boot: after another one every pid is void.
const bootIDPath = "/proc/sys/kernel/random/boot_id"

// ownerLabels identify this process, so that another one can tell whether the
// owner of an object still lives.
func ownerLabels() map[string]string {
	labels := map[string]string{Label: "true", LabelOwnerPID: strconv.Itoa(os.Getpid())}
	if id, err := os.ReadFile(bootIDPath); err == nil {
		labels[LabelOwnerBoot] = strings.TrimSpace(string(id))
	}
	if host, err := os.Hostname(); err == nil {
		labels[LabelOwnerHost] = host
	}
	return labels
}

// pipelineLabels are the labels of a pipeline's objects. What identifies the
// run wins over what the plan says.
func pipelineLabels(owner map[string]string, p *exec.Pipeline, run string) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, p.Labels)
	maps.Copy(labels, owner)
	labels[LabelRun] = run
	labels[LabelPipeline] = p.Name
	return labels
}
