package nomad

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatIsPreparedNodesFind(t *testing.T) {
	t.Parallel()
	prepared := 0
	n := start(t, Options{
		Regions: []Region{{Nodes: []Node{{Name: "a"}}}},
		Prepare: func(_ context.Context, n *Nomad) error {
			c := connect(t, n)
			nodes, _, err := c.Nodes().List(nil)
			require.NoError(t, err)
			prepared += 1 + len(nodes)
			_, _, err = c.Jobs().Register(mockJob("web", 1), nil)
			return err
		},
	})
	assert.Equal(t, 1, prepared, "once, and before any node")
	web := running(t, connect(t, n), "web", 1)[0]
	require.Eventually(t, func() bool { return n.Ready(web.ID) }, patience, 10*time.Millisecond)
	assert.DirExists(t, n.AllocationDir(web.ID))
	assert.False(t, n.Ready("unknown"))
	assert.Empty(t, n.AllocationDir("unknown"))
}

func TestAStartThatIsNotPreparedFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := Start(t.Context(), Options{Prepare: func(context.Context, *Nomad) error { return broken }})
	require.ErrorIs(t, err, broken)
}
