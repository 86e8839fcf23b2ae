package client

import "time"

// AllocationReady tells whether all tasks of an allocation run that are to, and
// all its checks pass that count for the health of a deployment.
func (c *Client) AllocationReady(id string) bool {
	a := c.runnerOf(id)
	return a != nil && a.ready()
}

func (a *allocRunner) ready() bool {
	if services := a.servicesNow(); services != nil {
		if healthy, _ := services.Healthy(); !healthy {
			return false
		}
	} else if hasServices(a.group()) {
		return false
	}
	_, running, dead := a.taskHealth()
	return running && !dead
}

// taskHealth reports when the last task has started, whether all run that are to,
// and whether one is dead that must not be.
func (a *allocRunner) taskHealth() (started time.Time, running, dead bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	running = true
	for _, t := range a.tasks {
		if t.stage == poststop {
			continue
		}
		started = latest(started, t.state.StartedAt)
		finishes := t.stage == prestart || t.stage == poststart
		dead = dead || t.state.State == taskDead && (t.state.Failed || !finishes)
		running = running && (t.state.State == taskRunning || finishes && t.doneLocked())
	}
	return started, running, dead
}
