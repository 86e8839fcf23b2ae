package deploy

import "time"

// State is how far the deployment of a job is.
type State string

const (
	Registered State = "registered" // Nomad has it, as a new version
	Waiting    State = "waiting"    // for what the event's detail says
	Healthy    State = "healthy"    // the new version runs, and its checks pass
	Unchanged  State = "unchanged"  // it ran so already, and is healthy
	Promotable State = "promotable" // canaries are healthy, and wait for somebody who promotes them
	Failed     State = "failed"
)

// Event is a step in the deployment of a job.
type Event struct {
	Job     string
	State   State
	Version uint64 // of the job
	Detail  string
	Took    time.Duration // since Run began
}
