package nomad

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/archive"
	"github.com/drydock/drydock/emulator/nomad/client"
)

func savedSnapshot(t *testing.T, c *api.Client) []byte {
	t.Helper()
	saved, err := c.Operator().Snapshot(nil)
	require.NoError(t, err)
	defer saved.Close()
	content, err := io.ReadAll(saved) // which checks the digest
	require.NoError(t, err)
	return content
}

func TestASnapshotIsRestored(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	_, _, err := c.Jobs().Register(mockJob("kept", 1), nil)
	require.NoError(t, err)
	running(t, c, "kept", 1)
	_, _, err = c.Variables().Create(&api.Variable{Path: "a", Items: map[string]string{"kept": "yes"}}, nil)
	require.NoError(t, err)
	saved := savedSnapshot(t, c)

	_, _, err = c.Jobs().Register(mockJob("later", 1), nil)
	require.NoError(t, err)
	later := running(t, c, "later", 1)[0].ID
	_, err = c.Variables().Delete("a", nil)
	require.NoError(t, err)
	_, before, err := c.Jobs().List(nil)
	require.NoError(t, err)
	type answer struct {
		jobs []*api.JobListStub
		meta *api.QueryMeta
		err  error
	}
	waiting := make(chan answer, 1)
	go func() {
		for meta := before; ; {
			jobs, next, err := c.Jobs().List(&api.QueryOptions{WaitIndex: meta.LastIndex})
			if err != nil || len(jobs) == 1 {
				waiting <- answer{jobs, next, err}
				return
			}
			meta = next // they change on their own as well, while they are deployed
		}
	}()

	_, err = c.Operator().SnapshotRestore(bytes.NewReader(saved), nil)
	require.NoError(t, err)
	select {
	case a := <-waiting:
		require.NoError(t, a.err)
		assert.Greater(t, a.meta.LastIndex, before.LastIndex, "the index has gone back")
		require.Len(t, a.jobs, 1)
		assert.Equal(t, "kept", a.jobs[0].ID)
	case <-time.After(patience):
		t.Fatal("who waits has not heard of the restored state")
	}
	variable, _, err := c.Variables().Read("a", nil)
	require.NoError(t, err)
	assert.Equal(t, "yes", variable.Items["kept"])
	node, _, err := c.Nodes().Info(running(t, c, "kept", 1)[0].NodeID, nil)
	require.NoError(t, err)
	assert.Equal(t, api.NodeStatusReady, node.Status)

	require.Eventually(t, func() bool {
		var unknown *client.UnknownAllocationError
		_, err := n.regions[0].nodes.all()[0].TaskStarted(later, "task")
		return errors.As(err, &unknown)
	}, patience, 10*time.Millisecond, "the node still has what is in no state any more")

	_, _, err = c.Jobs().Register(mockJob("after", 1), nil)
	require.NoError(t, err)
	running(t, c, "after", 1)
}

func TestWhatWaitsInASnapshotIsScheduled(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	pause := func(on bool) {
		_, _, err := c.Operator().SchedulerSetConfiguration(&api.SchedulerConfiguration{PauseEvalBroker: on}, nil)
		require.NoError(t, err)
	}
	pause(true)
	_, _, err := c.Jobs().Register(mockJob("web", 1), nil)
	require.NoError(t, err)
	saved := savedSnapshot(t, c)
	_, _, err = c.Jobs().Deregister("web", true, nil)
	require.NoError(t, err)
	pause(false)
	_, err = c.Operator().SnapshotRestore(bytes.NewReader(saved), nil)
	require.NoError(t, err)
	config, _, err := c.Operator().SchedulerGetConfiguration(nil)
	require.NoError(t, err)
	assert.True(t, config.SchedulerConfig.PauseEvalBroker)
	pause(false)
	running(t, c, "web", 1)
}

func TestABrokenSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	good := savedSnapshot(t, c)
	_, err := c.Namespaces().Register(&api.Namespace{Name: "later"}, nil)
	require.NoError(t, err)
	var foreign bytes.Buffer
	require.NoError(t, archive.Write(&foreign, archive.Meta{}, []byte("\x82real")))
	for name, test := range map[string]struct {
		archive []byte
		err     string
	}{
		"no archive": {[]byte("not an archive at all"), "failed to restore from snapshot: failed to decompress snapshot: gzip: invalid header"},
		"cut":        {good[:len(good)/2], "failed to restore from snapshot: failed to read snapshot file: "},
		"foreign":    {foreign.Bytes(), "failed to restore from snapshot: the snapshot's rows are not those of this program"},
	} {
		_, err := c.Operator().SnapshotRestore(bytes.NewReader(test.archive), nil)
		assert.ErrorContains(t, err, test.err, name)
		_, _, err = c.Namespaces().Info("later", nil)
		assert.NoError(t, err, name)
	}
}

func TestASnapshotEndsTheEventStream(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	saved := savedSnapshot(t, c)
	events, err := c.EventStream().Stream(t.Context(), map[api.Topic][]string{api.TopicAll: {"*"}}, 0, nil)
	require.NoError(t, err)
	_, err = c.Operator().SnapshotRestore(bytes.NewReader(saved), nil)
	require.NoError(t, err)
	deadline := time.After(patience)
	for {
		select {
		case e := <-events:
			if e != nil && e.Err != nil {
				return
			}
		case <-deadline:
			t.Fatal("the stream goes on with another state")
		}
	}
}

func TestOnlyManagementSavesAndRestores(t *testing.T) {
	t.Parallel()
	n := start(t, Options{ACL: true})
	c := connect(t, n)
	_, err := c.Operator().Snapshot(nil)
	assert.ErrorContains(t, err, "Permission denied")
	_, err = c.Operator().SnapshotRestore(bytes.NewReader(nil), nil)
	assert.ErrorContains(t, err, "Permission denied")
}

func TestASnapshotKnowsNotWhatNodesHave(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	gone := madeVolume(t, c, api.HostVolume{Name: "gone"})
	kept := madeVolume(t, c, api.HostVolume{Name: "kept"})
	saved := savedSnapshot(t, c)
	_, _, err := c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: gone.ID}, nil)
	require.NoError(t, err)
	_, err = c.Operator().SnapshotRestore(bytes.NewReader(saved), nil)
	require.NoError(t, err)
	readyVolume(t, c, kept.ID)
	volume, _, err := c.HostVolumes().Get(gone.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, api.HostVolumeStateUnavailable, volume.State)
}
