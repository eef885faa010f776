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
	LabelGuardPID     = "io.drone.guard.pid"     // process beside it that removes what it leaves, "" for none
	LabelGuardStart   = "io.drone.guard.start"   // when that was started
)

// ownerLabels identify this process, so that another one can tell whether the
// owner of an object still lives. What is not known is said as "": a container
// has the labels of its image, too, unless it says otherwise.
func ownerLabels() map[string]string {
	self := owner.Self()
	return map[string]string{
		Label: "true", LabelOwnerPID: strconv.Itoa(self.PID),
		LabelOwnerStart: self.Start, LabelOwnerPIDNS: self.PIDNS, LabelOwnerBoot: self.Boot,
		LabelOwnerMachine: self.Machine, LabelOwnerHost: self.Host, LabelGuardPID: "", LabelGuardStart: "",
	}
}

// Guarded says which process of this machine removes what this one leaves, for
// the labels of what is made from now on. It must be called before Open, if at
// all.
func (e *Engine) Guarded(by owner.Identity) {
	if by.PID > 0 {
		e.owner[LabelGuardPID], e.owner[LabelGuardStart] = strconv.Itoa(by.PID), by.Start
	}
}

// guardOf reads that, of an object whose owner is known; PID is 0 for none.
func guardOf(labels map[string]string, of owner.Identity) owner.Identity {
	of.PID, _ = strconv.Atoi(labels[LabelGuardPID]) // 0 when it is no number
	of.Start = labels[LabelGuardStart]
	return of
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
