package report

import (
	"slices"
	"time"

	"github.com/drone-laptop/drone/exec"
)

// Pull is an image that is being fetched.
type Pull struct {
	Pipeline, Image string
	Platform        string // see exec.PullProgress
	Since           time.Time
	Current, Total  int64 // bytes; Total is 0 while it is not known
}

// Of reports whether it is for an image of a pipeline. Images are compared as
// people write them: a step and a report of progress may write the same one
// differently.
func (p *Pull) Of(pipeline, image string) bool {
	return p.Pipeline == pipeline && ShortImage(p.Image) == ShortImage(image)
}

// Name is the image as people write it, with the platform where that needs
// mention. It may have characters that a terminal obeys.
func (p *Pull) Name() string {
	if p.Platform != "" {
		return ShortImage(p.Image) + " for " + p.Platform
	}
	return ShortImage(p.Image)
}

// Progress is how far it is, such as "1.2 MB of 3.4 MB", "" while that is not
// known.
func (p *Pull) Progress() string {
	switch {
	case p.Total > 0:
		return Bytes(p.Current) + " of " + Bytes(p.Total)
	case p.Current > 0:
		return Bytes(p.Current)
	}
	return ""
}

// Pulls are the images that are being fetched, in the order in which that began.
// Apply is the only way it changes. It is not safe for concurrent use.
type Pulls []*Pull

// Apply adds an event.
func (ps *Pulls) Apply(e exec.Event) {
	switch e := e.(type) {
	case exec.PullProgress:
		ps.progress(e)
	case exec.StepFinished:
		if e.Phase == exec.PhasePull {
			ps.forget(func(p *Pull) bool { return p.Of(e.Pipeline, e.Image) })
		}
	case exec.PipelineFinished:
		ps.forget(func(p *Pull) bool { return p.Pipeline == e.Pipeline })
	}
}

func (ps *Pulls) progress(e exec.PullProgress) {
	same := func(p *Pull) bool { return p.Platform == e.Platform && p.Of(e.Pipeline, e.Image) }
	if e.Done {
		ps.forget(same)
		return
	}
	i := slices.IndexFunc(*ps, same)
	if i < 0 {
		i = len(*ps)
		*ps = append(*ps, &Pull{Pipeline: e.Pipeline, Image: e.Image, Platform: e.Platform, Since: e.Time})
	}
	(*ps)[i].Current, (*ps)[i].Total = e.Current, e.Total
}

func (ps *Pulls) forget(gone func(*Pull) bool) { *ps = slices.DeleteFunc(*ps, gone) }
