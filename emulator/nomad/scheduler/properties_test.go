package scheduler_test

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// Whatever happens, a service comes to be what its job asks for, no more are
// taken away at a time than it allows, and no two have one name.
func TestServicesConverge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, 6)
		history := &churn{T: t, world: w}
		w.settle(history.next())
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			history.step()
			history.check()
		}
		history.calm()
		require.Len(t, w.wanted(), history.count)
		for _, a := range w.wanted() {
			assert.Equal(t, *w.job().Version, *a.Job.Version)
			assert.Equal(t, api.AllocClientStatusRunning, a.ClientStatus)
		}

		w.write(func(tx *state.Tx) { tx.UpdateJob(w.job(), func(j *api.Job) { j.Stop = new(true) }) })
		w.evaluate(scheduler.TriggerJobDeregister)
		for range 3 {
			w.run()
			w.now = w.now.Add(time.Hour)
			w.due()
			w.evaluate(scheduler.TriggerNodeUpdate)
			require.Empty(t, w.wanted())
		}
	})
}

// churn is a service to which things happen.
type churn struct {
	*rapid.T
	*world
	count, parallel, value int
}

func (c *churn) next() *api.Job {
	c.count = rapid.IntRange(0, 6).Draw(c.T, "count")
	c.parallel = rapid.IntRange(1, 3).Draw(c.T, "parallel")
	c.value = rapid.IntRange(0, 3).Draw(c.T, "value")
	canary := rapid.IntRange(0, 2).Draw(c.T, "canary")
	return service(c.count, reschedule(constant(5*time.Second)), env(string(rune('a'+c.value))),
		updates(func(u *api.UpdateStrategy) { u.MaxParallel, u.Canary = &c.parallel, &canary }))
}

func (c *churn) step() {
	any := func() *state.Allocation {
		if len(c.wanted()) == 0 {
			return nil
		}
		return rapid.SampledFrom(c.wanted()).Draw(c.T, "allocation")
	}
	node := rapid.IntRange(0, 5).Draw(c.T, "node")
	switch rapid.SampledFrom([]string{"register", "run", "fail", "migrate", "down", "up", "promote", "later", "pause"}).Draw(c.T, "step") {
	case "register":
		c.register(c.next())
	case "run":
		c.run()
		c.evaluate(scheduler.TriggerDeployment)
	case "fail":
		if a := any(); a != nil && !a.ClientTerminal() {
			c.end(a, api.AllocClientStatusFailed)
			c.evaluate(scheduler.TriggerAllocationFailure)
		}
	case "migrate":
		if a := any(); a != nil {
			c.migrate(a)
			c.evaluate(scheduler.TriggerAllocationStop)
		}
	case "down":
		c.node(node, down)
		c.evaluate(scheduler.TriggerNodeUpdate)
	case "up":
		c.node(node, ready)
		c.evaluate(scheduler.TriggerNodeUpdate)
	case "promote":
		if d := c.deployment(); d != nil && d.Status == api.DeploymentStatusRunning && d.TaskGroups["g"].DesiredCanaries > 0 {
			c.promote()
			c.evaluate(scheduler.TriggerDeployment)
		}
	case "pause":
		if d := c.deployment(); d != nil && state.DeploymentActive(d) {
			c.setDeployment(rapid.SampledFrom([]string{api.DeploymentStatusPaused, api.DeploymentStatusRunning}).Draw(c.T, "status"))
			c.evaluate(scheduler.TriggerDeployment)
		}
	case "later":
		c.now = c.now.Add(10 * time.Second)
		c.due()
	}
}

// check holds what is against what may never be.
func (c *churn) check() {
	names, canaries := map[string]bool{}, 0
	for _, a := range c.wanted() {
		if a.DeploymentStatus != nil && a.DeploymentStatus.Canary {
			canaries++
			continue
		}
		assert.False(c.T, names[a.Name], "%s is there twice", a.Name)
		names[a.Name] = true
	}
	assert.LessOrEqual(c.T, len(names), c.count)
	taken := 0
	for _, change := range c.last.Changes {
		if change.Before.ClientStatus == api.AllocClientStatusRunning && change.After.DesiredDescription == "alloc is being updated due to job update" {
			taken++
		}
	}
	assert.LessOrEqual(c.T, taken, c.parallel)
	if d := c.deployment(); d != nil && d.JobVersion == *c.job().Version {
		assert.LessOrEqual(c.T, canaries, d.TaskGroups["g"].DesiredCanaries)
	}
}

// calm has nothing more happen, and everything come to its end.
func (c *churn) calm() {
	for node := range 6 {
		c.node(node, ready)
	}
	for range 40 {
		if d := c.deployment(); d != nil && state.DeploymentActive(d) {
			c.setDeployment(api.DeploymentStatusRunning)
			for _, a := range c.wanted() {
				if a.ClientStatus == api.AllocClientStatusFailed {
					c.update(a, func(a *state.Allocation) { a.DesiredTransition.Reschedule = new(true) })
				}
			}
			if group := d.TaskGroups["g"]; group.DesiredCanaries > 0 && !group.Promoted {
				c.promote()
			}
		}
		c.run()
		c.now = c.now.Add(time.Minute)
		c.due()
		c.evaluate(scheduler.TriggerNodeUpdate)
		if d := c.deployment(); len(c.last.Changes)+len(c.last.Placements) == 0 && (d == nil || !state.DeploymentActive(d)) {
			c.run()
			return
		}
	}
}
