package client

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// restartTracker applies the restart block of a task, as Nomad documents it: attempts restarts within an interval that
// begins with the first start, each after delay and up to 25 % more; past them mode decides.
type restartTracker struct {
	policy *api.RestartPolicy
	batch  bool
	jitter func() float64 // in [0, 1)

	began time.Time // of the current interval; zero before the first start
	count int       // restarts within it
}

// decision is what follows the end of a task.
type decision struct {
	restart bool
	delay   time.Duration // before the restart
	reason  string        // why it is not restarted, or why it waits so long; empty when there is nothing to say
}

// started opens the first interval.
func (r *restartTracker) started(now time.Time) {
	if r.began.IsZero() {
		r.began = now
	}
}

// ended decides what follows an end of the task. Only a batch task may end well; a service that ends is always restarted.
func (r *restartTracker) ended(now time.Time, success bool) decision {
	if success && r.batch {
		return decision{}
	}
	attempts, interval := *r.policy.Attempts, *r.policy.Interval
	if now.Sub(r.began) >= interval {
		r.began, r.count = now, 0
	}
	if r.count < attempts {
		r.count++
		return decision{restart: true, delay: r.jittered(*r.policy.Delay)}
	}
	exceeded := fmt.Sprintf("exceeded allowed attempts %d in interval %s and mode is %q", attempts, interval, *r.policy.Mode)
	if *r.policy.Mode == api.RestartPolicyModeFail {
		return decision{reason: exceeded}
	}
	wait := r.began.Add(interval).Sub(now)
	r.began, r.count = now.Add(wait), 1
	return decision{restart: true, delay: r.jittered(wait), reason: exceeded}
}

func (r *restartTracker) jittered(d time.Duration) time.Duration {
	return d + time.Duration(r.jitter()*float64(d)/4)
}
