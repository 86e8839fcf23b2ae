package nomad

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAJobIsPlacedOnceANodeHasTheMetadata(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a", Meta: map[string]string{"size": "small"}}}}}})
	c := connect(t, n)
	job := mockJob("racked", 1)
	job.Constrain(api.NewConstraint("${meta.rack}", "=", "r1"))
	_, _, err := c.Jobs().Register(job, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		list, _, err := c.Evaluations().List(&api.QueryOptions{Filter: `Status == "blocked"`})
		require.NoError(t, err)
		return len(list) == 1
	}, patience, 10*time.Millisecond)
	nodes, _, err := c.Nodes().List(nil)
	require.NoError(t, err)
	answer, err := c.Nodes().Meta().Apply(&api.NodeMetaApplyRequest{
		NodeID: nodes[0].ID, Meta: map[string]*string{"rack": new("r1"), "size": nil},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "r1", answer.Meta["rack"])
	assert.NotContains(t, answer.Meta, "size")
	assert.Equal(t, "small", answer.Static["size"])
	running(t, c, "racked", 1)
}
