package nomad

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/events"
)

func TestDrainsAndEligibilityAreEventsOfTheirOwn(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	nodes, _, err := c.Nodes().List(nil)
	require.NoError(t, err)
	_, err = c.Nodes().ToggleEligibility(nodes[0].ID, false, nil)
	require.NoError(t, err)
	_, err = c.Nodes().UpdateDrain(nodes[0].ID, &api.DrainSpec{}, false, nil)
	require.NoError(t, err)
	stream := n.regions[0].events.Subscribe(0, func(e *events.Event) bool { return e.Topic == api.TopicNode })
	var types []string
	for len(types) < 3 {
		_, list, err := stream.Next(t.Context())
		require.NoError(t, err)
		types = append(types, list[0].Type)
	}
	assert.Equal(t, []string{"NodeRegistration", "NodeEligibility", "NodeDrain"}, types)
}
