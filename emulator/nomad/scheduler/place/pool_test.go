package place_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestPoolsForgetWhatHasChanged(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"), newNode("2"))
	job := newJob("job")
	before := r.store.View()
	ids := func(view *state.View) (ids []string) {
		for _, node := range place.New(place.Options{View: view, Job: job, Config: r.config, Pools: r.pools}).Nodes() {
			ids = append(ids, node.ID)
		}
		return ids
	}
	assert.Equal(t, []string{"1", "2"}, ids(before))
	r.write(func(tx *state.Tx) {
		tx.UpdateNode(tx.Node("1"), func(n *state.Node) { n.Status = api.NodeStatusDown })
	})
	assert.Equal(t, []string{"2"}, ids(r.store.View()))
	assert.Equal(t, []string{"1", "2"}, ids(before), "a view is of its own time")
	assert.Equal(t, []string{"2"}, ids(r.store.View()))
}

func TestRoundsAreRandomAndFair(t *testing.T) {
	t.Parallel()
	var nodes []*state.Node
	for i := range 10 {
		nodes = append(nodes, newNode(nodeName(i)))
	}
	r := newRegion(t, nodes...)
	job, first := newJob("job"), map[string]int{}
	for range 200 {
		placement, _ := r.selector(job).Place(requestOf(job))
		first[placement.Node.ID]++
	}
	assert.Len(t, first, 10)
}
