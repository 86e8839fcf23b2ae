package client

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// What Nomad says of a restart, and of one that does not come.
const (
	restartWithinPolicy  = "Restart within policy"
	restartDelayed       = "Exceeded allowed attempts, applying a delay"
	restartForbidden     = "Policy allows no restarts"
	restartUnrecoverable = "Error was unrecoverable"
)

// restartTracker applies the restart block of a task, as Nomad documents it: attempts restarts within an interval that
// begins with the task, each after delay and up to 25 % more; past them mode decides.
type restartTracker struct {
	policy    *api.RestartPolicy
	mayFinish bool           // success is the end of the task, not one more reason to start it
	jitter    func() float64 // in [0, 1)

	began time.Time // of the current interval; zero before the first start
	count int       // restarts within it
}

// decision is what follows the end of a task.
type decision struct {
	restart bool
	delay   time.Duration // before the restart
	reason  string        // why it is restarted or not; empty when the task has done its work
}

// started opens the first interval.
func (r *restartTracker) started(now time.Time) {
	if r.began.IsZero() {
		r.began = now
	}
}

// ended decides what follows an end of the task.
func (r *restartTracker) ended(now time.Time, success bool) decision {
	if success && r.mayFinish {
		return decision{}
	}
	attempts, interval, fails := *r.policy.Attempts, *r.policy.Interval, *r.policy.Mode == api.RestartPolicyModeFail
	if attempts == 0 && fails {
		return decision{reason: restartForbidden}
	}
	if now.Sub(r.began) >= interval {
		r.began, r.count = now, 0
	}
	r.count++
	if r.count <= attempts {
		return decision{restart: true, delay: r.jittered(*r.policy.Delay), reason: restartWithinPolicy}
	}
	if fails {
		return decision{reason: fmt.Sprintf("Exceeded allowed attempts %d in interval %v and mode is %q", attempts, interval, *r.policy.Mode)}
	}
	return decision{restart: true, delay: r.began.Add(interval).Sub(now), reason: restartDelayed}
}

func (r *restartTracker) jittered(d time.Duration) time.Duration {
	return d + time.Duration(r.jitter()*float64(d)/4)
}
