package jobs

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// Next is when a periodic job is launched for the first time after some moment,
// in its own time zone. It is zero for a job that is disabled or whose
// specification is never met.
func Next(periodic *api.PeriodicConfig, after time.Time) (time.Time, error) {
	if !*periodic.Enabled {
		return time.Time{}, nil
	}
	zone, err := periodic.GetLocation()
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone of a periodic job: %w", err)
	}
	return periodic.Next(after.In(zone))
}

// Launch makes the job that a periodic one launches at a time.
func Launch(parent *api.Job, at, now time.Time) *api.Job {
	child := launched(parent, fmt.Sprintf("%s%s%d", *parent.ID, api.JobPeriodicLaunchSuffix, at.Unix()), now)
	child.Periodic = nil
	return child
}
