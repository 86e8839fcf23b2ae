package scheduler_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
)

func TestServiceIsPlacedAndItsDeploymentEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(newJob(api.JobTypeService, 3, updates(func(*api.UpdateStrategy) {})))

	assert.Equal(t, api.DesiredUpdates{Place: 3}, w.desired())
	assert.Equal(t, []string{"[0] v0 pending", "[1] v0 pending", "[2] v0 pending"}, w.names())
	assert.Equal(t, scheduler.DeploymentRunning, w.deployment().StatusDescription)
	assert.Equal(t, 3, w.deployment().TaskGroups["g"].PlacedAllocs)

	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 3}, w.desired())
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)
	assert.Equal(t, scheduler.DeploymentSuccessful, w.deployment().StatusDescription)
	assert.True(t, *w.job().Stable)
}
