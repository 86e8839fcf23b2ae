package checks

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// eagerPause is the least time between two probes of a check that has not passed yet.
	eagerPause = 20 * time.Millisecond
	// eagerShare is the part of such a check's age that is the time between two
	// probes: that it passes is noticed by so much later at most.
	eagerShare = 16
)

// pace is the time between the probes of a check: its interval and, of an eager
// one, less until it has passed for the first time, so that who waits for a
// service that starts waits little longer than that takes.
type pace struct {
	interval time.Duration
	settled  bool // it is not eager, has passed, or is taken for good from the start
}

// poll calls probe until ctx ends, the next time some time after it has returned.
// A check that is settled is first probed after a random part of the interval, so that those
// of an agent that starts do not all run at once.
func (p *pace) poll(ctx context.Context, probe func() (passed bool)) {
	began, first := time.Now(), time.Duration(0)
	if p.settled {
		first = rand.N(p.interval)
	}
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		p.settled = probe() || p.settled
		timer.Reset(p.pause(time.Since(began)))
	}
}

// pause is the time before the next probe of a check that is as old as that.
func (p *pace) pause(age time.Duration) time.Duration {
	if p.settled {
		return p.interval
	}
	return min(max(age/eagerShare, eagerPause), p.interval)
}
