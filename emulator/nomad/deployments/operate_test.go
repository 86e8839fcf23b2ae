package deployments_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/deployments"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// operate does something to the deployment as an operator.
func (r *region) operate(do func(tx *state.Tx) error) (err error) {
	r.write(func(tx *state.Tx) { err = do(tx) })
	return err
}

func TestPromotingByHand(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{canaries: 1})
	r.place(0, true)
	promote := func(groups ...string) error {
		return r.operate(func(tx *state.Tx) error {
			_, err := deployments.Promote(tx, tx.Deployment("d"), groups)
			return err
		})
	}
	assert.Equal(t, deployments.RefusedError("1 error occurred:\n\t* Task group \"g\" has 0/1 healthy allocations\n\n"), promote())
	assert.NoError(t, promote("other"), "as the real servers have it")
	assert.False(t, r.group().Promoted)
	r.report(0, true)
	assert.NoError(t, promote("g"))
	assert.True(t, r.group().Promoted)
}

func TestSayingThatAnAllocationIsHealthyOrNot(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{revert: true})
	r.place(0, false)
	r.place(1, false)
	var reverted *uint64
	say := func(h deployments.Health) error {
		return r.operate(func(tx *state.Tx) (err error) {
			_, reverted, err = deployments.SetHealth(tx, tx.Deployment("d"), h)
			return err
		})
	}
	assert.EqualError(t, say(deployments.Health{}), "must specify at least one healthy/unhealthy allocation ID")
	assert.EqualError(t, say(deployments.Health{Healthy: []string{"none"}}), `unknown alloc "none"`)
	require.NoError(t, say(deployments.Health{Healthy: []string{"a0"}}))
	assert.Equal(t, 1, r.group().HealthyAllocs)
	require.NoError(t, say(deployments.Health{Unhealthy: []string{"a1"}}))
	assert.Equal(t, "Failed due to unhealthy allocations - rolling back to job version 0", r.deployment().StatusDescription)
	require.NotNil(t, reverted)
	assert.Zero(t, *reverted)
	assert.EqualError(t, say(deployments.Health{Healthy: []string{"a0"}}), "can't set health of allocations for a terminal deployment")
}

func TestFailingByHand(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{})
	fail := func() error {
		return r.operate(func(tx *state.Tx) error {
			e, reverted, err := deployments.Fail(tx, tx.Deployment("d"))
			assert.Nil(t, reverted)
			assert.Equal(t, err == nil, e != nil)
			return err
		})
	}
	require.NoError(t, fail())
	assert.Equal(t, "Deployment marked as failed", r.deployment().StatusDescription)
	assert.EqualError(t, fail(), "can't fail terminal deployment")
}
