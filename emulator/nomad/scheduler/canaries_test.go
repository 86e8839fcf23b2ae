package scheduler_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
)

func canaries(count int, automatic bool) func(*api.Job) {
	return updates(func(u *api.UpdateStrategy) { u.Canary, u.AutoPromote = &count, &automatic })
}

func TestCanariesWaitForTheirPromotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(3, canaries(1, false)))
	w.register(service(4, canaries(1, false), env("2")))
	assert.Equal(t, api.DesiredUpdates{Canary: 1, Ignore: 3}, w.desired(), "nothing but the canary is new")
	assert.Equal(t, []string{"[0] v0 running", "[0] v1 pending", "[1] v0 running", "[2] v0 running"}, w.names())
	assert.Equal(t, scheduler.DeploymentManual, w.deployment().StatusDescription)
	group := w.deployment().TaskGroups["g"]
	assert.Equal(t, []int{1, 4, 1}, []int{group.DesiredCanaries, group.DesiredTotal, len(group.PlacedCanaries)})

	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 4}, w.desired())

	w.promote()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, []string{"[0] v1 running", "[1] v0 running", "[2] v0 running", "[3] v1 pending"}, w.names())
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{DestructiveUpdate: 1, Ignore: 3}, w.desired())
	for range 2 {
		w.run()
		w.evaluate(scheduler.TriggerDeployment)
	}
	assert.Equal(t, []string{"[0] v1 running", "[1] v1 running", "[2] v1 running", "[3] v1 running"}, w.names())
	assert.Equal(t, scheduler.DeploymentSuccessful, w.deployment().StatusDescription)
}

func TestAllCanariesMakeItBlueGreen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, canaries(2, true)))
	w.register(service(2, canaries(2, true), env("2")))
	assert.Equal(t, scheduler.DeploymentAutomatic, w.deployment().StatusDescription)
	w.run()
	w.promote()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2, Stop: 2}, w.desired())
	assert.Equal(t, []string{"[0] v1 running", "[1] v1 running"}, w.names())
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)
}

func TestCanariesOfAFailedOrOlderDeploymentAreStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(3, canaries(1, false)))
	w.register(service(3, canaries(1, false), env("2")))
	w.run()
	w.register(service(3, canaries(1, false), env("3")))
	assert.Equal(t, api.DesiredUpdates{Canary: 1, Ignore: 3, Stop: 1}, w.desired())
	assert.Equal(t, []string{"[0] v0 running", "[0] v2 pending", "[1] v0 running", "[2] v0 running"}, w.names())
	w.run()
	w.setDeployment(api.DeploymentStatusFailed)
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 3, Stop: 1}, w.desired())
	assert.Equal(t, []string{"[0] v0 running", "[1] v0 running", "[2] v0 running"}, w.names())
}

func TestBesideCanariesOthersAreReplacedAsTheyWere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, canaries(1, false)))
	old := w.deployment().ID
	w.register(service(2, canaries(1, false), env("2")))
	w.run()
	w.migrate(w.wanted()[2])
	w.evaluate(scheduler.TriggerAllocationStop)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2, Migrate: 1}, w.desired())
	assert.Equal(t, []string{"[0] v0 running", "[0] v1 running", "[1] v0 pending"}, w.names())
	assert.Equal(t, old, w.wanted()[2].DeploymentID)

	w.run()
	w.migrate(w.wanted()[1])
	w.evaluate(scheduler.TriggerAllocationStop)
	assert.Equal(t, api.DesiredUpdates{Canary: 1, Ignore: 2}, w.desired(), "a canary that leaves is followed by another")
	assert.Len(t, w.deployment().TaskGroups["g"].PlacedCanaries, 2)
}
