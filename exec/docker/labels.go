package docker

import (
	"maps"
	"strconv"

	"github.com/drone-laptop/drone/exec"
	"github.com/drone-laptop/drone/internal/owner"
)

// The labels of every object an engine makes. Pipeline.Labels are added.
const (
	Label             = "io.drone"               // "true"
	LabelRun          = "io.drone.run"           // Setting.Run
	LabelPipeline     = "io.drone.pipeline"      // name of the pipeline
	LabelStep         = "io.drone.step"          // name of the step, on containers
	LabelOwnerPID     = "io.drone.owner.pid"     // process that made it
	LabelOwnerStart   = "io.drone.owner.start"   // when that was started, "" where that is not known, as below
	LabelOwnerPIDNS   = "io.drone.owner.pidns"   // namespace of its number
	LabelOwnerBoot    = "io.drone.owner.boot"    // boot id of its machine
	LabelOwnerMachine = "io.drone.owner.machine" // its machine, disguised
	LabelOwnerHost    = "io.drone.owner.host"    // name of its machine
)

// ownerLabels identify this process, so that another one can tell whether the
// owner of an object still lives. What is not known is said as "": a container
// has the labels of its image, too, unless it says otherwise.
func ownerLabels() map[string]string {
	self := owner.Self()
	return map[string]string{
		Label: "true", LabelOwnerPID: strconv.Itoa(self.PID),
		LabelOwnerStart: self.Start, LabelOwnerPIDNS: self.PIDNS, LabelOwnerBoot: self.Boot,
		LabelOwnerMachine: self.Machine, LabelOwnerHost: self.Host,
	}
}

// ownerOf reads what ownerLabels has written.
func ownerOf(labels map[string]string) owner.Identity {
	pid, err := strconv.Atoi(labels[LabelOwnerPID])
	if err != nil {
		pid = 0 // nobody is known
	}
	return owner.Identity{
		PID: pid, Start: labels[LabelOwnerStart], PIDNS: labels[LabelOwnerPIDNS], Boot: labels[LabelOwnerBoot],
		Machine: labels[LabelOwnerMachine], Host: labels[LabelOwnerHost],
	}
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
