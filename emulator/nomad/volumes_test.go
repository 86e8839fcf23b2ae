package nomad

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func singleWriter() []*api.HostVolumeCapability {
	return []*api.HostVolumeCapability{{
		AttachmentMode: api.HostVolumeAttachmentModeFilesystem, AccessMode: api.HostVolumeAccessModeSingleNodeWriter,
	}}
}

// madeVolume is one that is ready.
func madeVolume(t *testing.T, c *api.Client, asked api.HostVolume) *api.HostVolume {
	t.Helper()
	asked.PluginID, asked.RequestedCapabilities = "mkdir", singleWriter()
	answer, meta, err := c.HostVolumes().Create(&api.HostVolumeCreateRequest{Volume: &asked}, nil)
	require.NoError(t, err)
	require.NotZero(t, meta.LastIndex)
	return readyVolume(t, c, answer.Volume.ID)
}

func readyVolume(t *testing.T, c *api.Client, id string) *api.HostVolume {
	t.Helper()
	var volume *api.HostVolume
	require.Eventually(t, func() bool {
		var err error
		volume, _, err = c.HostVolumes().Get(id, nil)
		return err == nil && volume.State == api.HostVolumeStateReady
	}, patience, 10*time.Millisecond)
	return volume
}

// usesVolume is a job whose group has a volume.
func usesVolume(id, source string) *api.Job {
	job := mockJob(id, 1)
	job.TaskGroups[0].Volumes = map[string]*api.VolumeRequest{"data": {
		Name: "data", Type: "host", Source: source, AccessMode: "single-node-writer", AttachmentMode: "file-system",
	}}
	return job
}

func TestAVolumeIsMadeUsedAndDeleted(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}})
	c := connect(t, n)
	_, _, err := c.Jobs().Register(usesVolume("db", "pictures"), nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		list, _, err := c.Evaluations().List(&api.QueryOptions{Filter: `Status == "blocked"`})
		return err == nil && len(list) == 1
	}, patience, 10*time.Millisecond)

	volume := madeVolume(t, c, api.HostVolume{Name: "pictures", Parameters: map[string]string{"mode": "0750"}})
	folder, err := os.Stat(volume.HostPath)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o750), folder.Mode().Perm())
	placed := running(t, c, "db", 1)
	assert.Equal(t, volume.NodeID, placed[0].NodeID, "the job waits for the volume and then runs beside it")
	node, _, err := c.Nodes().Info(volume.NodeID, nil)
	require.NoError(t, err)
	assert.Equal(t, map[string]*api.HostVolumeInfo{"pictures": {ID: volume.ID, Path: volume.HostPath}}, node.HostVolumes)
	volume, _, err = c.HostVolumes().Get(volume.ID, nil)
	require.NoError(t, err)
	require.Len(t, volume.Allocations, 1)
	assert.Equal(t, placed[0].ID, volume.Allocations[0].ID)

	_, _, err = c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: volume.ID}, nil)
	assert.ErrorContains(t, err, "volume "+volume.ID+" in use by allocations: ["+placed[0].ID+"]")
	_, _, err = c.Jobs().Deregister("db", true, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, _, err := c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: volume.ID}, nil)
		return err == nil
	}, patience, 10*time.Millisecond)
	assert.NoDirExists(t, volume.HostPath)
	node, _, err = c.Nodes().Info(volume.NodeID, nil)
	require.NoError(t, err)
	assert.Empty(t, node.HostVolumes)
	list, _, err := c.HostVolumes().List(nil, nil)
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestVolumesAreListed(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a", Pool: "one"}, {Name: "b", Pool: "two"}}}}})
	c := connect(t, n)
	first := madeVolume(t, c, api.HostVolume{Name: "v", NodePool: "one"})
	second := madeVolume(t, c, api.HostVolume{Name: "v", NodePool: "two"})
	for name, test := range map[string]struct {
		request *api.HostVolumeListRequest
		options *api.QueryOptions
		want    []string
	}{
		"all":       {nil, nil, []string{first.ID, second.ID}},
		"of a pool": {&api.HostVolumeListRequest{NodePool: "two"}, nil, []string{second.ID}},
		"of a node": {&api.HostVolumeListRequest{NodeID: first.NodeID}, nil, []string{first.ID}},
		"by prefix": {nil, &api.QueryOptions{Prefix: first.ID[:8]}, []string{first.ID}},
		"elsewhere": {nil, &api.QueryOptions{Namespace: "other"}, nil},
		"filtered":  {nil, &api.QueryOptions{Filter: `NodePool == "two"`}, []string{second.ID}},
	} {
		list, _, err := c.HostVolumes().List(test.request, test.options)
		require.NoError(t, err, name)
		var ids []string
		for _, v := range list {
			ids = append(ids, v.ID)
		}
		assert.ElementsMatch(t, test.want, ids, name)
	}
}

func TestVolumesSurviveARestart(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir(), Regions: []Region{{Nodes: []Node{{Name: "a"}}}}}
	first, err := Start(t.Context(), o)
	require.NoError(t, err)
	volume := madeVolume(t, connect(t, first), api.HostVolume{Name: "kept"})
	require.NoError(t, os.WriteFile(filepath.Join(volume.HostPath, "file"), []byte("kept"), 0o600))
	require.NoError(t, first.Close())

	c := connect(t, start(t, o))
	again := readyVolume(t, c, volume.ID)
	assert.FileExists(t, filepath.Join(again.HostPath, "file"))
	_, _, err = c.Jobs().Register(usesVolume("db", "kept"), nil)
	require.NoError(t, err)
	running(t, c, "db", 1)
}

func TestAVolumeOfANodeThatIsGoneIsUnavailable(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	volume := madeVolume(t, c, api.HostVolume{Name: "v"})
	node := n.regions[0].client(volume.NodeID)
	node.Kill()
	require.NoError(t, n.regions[0].setNodeStatus(volume.NodeID, api.NodeStatusDown, "it is gone"))
	volume, _, err := c.HostVolumes().Get(volume.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, api.HostVolumeStateUnavailable, volume.State)
	require.NoError(t, node.Revive(t.Context()))
	readyVolume(t, c, volume.ID)
}

func TestAFolderIsRegisteredAsAVolume(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	node := n.regions[0].nodes.all()[0].Node()
	register := func(v api.HostVolume) (*api.HostVolume, error) {
		v.RequestedCapabilities = singleWriter()
		answer, _, err := c.HostVolumes().Register(&api.HostVolumeRegisterRequest{Volume: &v}, nil)
		if err != nil {
			return nil, err
		}
		return answer.Volume, nil
	}
	folder := t.TempDir()
	for name, test := range map[string]struct {
		volume api.HostVolume
		err    string
	}{
		"no node":   {api.HostVolume{Name: "v", HostPath: folder}, "cannot register volume: node ID is required"},
		"no folder": {api.HostVolume{Name: "v", NodeID: node.ID}, "cannot register volume: host path is required"},
		"missing": {api.HostVolume{Name: "v", NodeID: node.ID, HostPath: folder + "/none"},
			`HostVolume.Register error: could not verify host path for "v": stat ` + folder + "/none: no such file or directory"},
	} {
		_, err := register(test.volume)
		assert.ErrorContains(t, err, test.err, name)
	}
	volume, err := register(api.HostVolume{Name: "v", NodeID: node.ID, HostPath: folder})
	require.NoError(t, err)
	readyVolume(t, c, volume.ID)
	_, err = register(api.HostVolume{Name: "v", NodeID: node.ID, HostPath: folder})
	assert.ErrorContains(t, err, "HostVolume.Register error: volume name already exists on this node")
	_, err = register(api.HostVolume{ID: volume.ID, Name: "renamed", NodeID: node.ID})
	require.NoError(t, err)
	assert.Contains(t, n.regions[0].client(node.ID).Node().HostVolumes, "renamed")
	_, _, err = c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: volume.ID}, nil)
	require.NoError(t, err)
	assert.DirExists(t, folder, "what the node has not made stays")
}

func TestWhatIsNoVolumeIsRefused(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	made := madeVolume(t, c, api.HostVolume{Name: "taken"})
	const nobody = "aaaaaaaa-67aa-3dad-f269-020f644e8aba"
	const noNode = ": no node meets constraints: "
	capability := singleWriter()
	for name, test := range map[string]struct {
		volume *api.HostVolume
		err    string
	}{
		"none":    {nil, "missing volume definition"},
		"no name": {&api.HostVolume{}, "volume validation failed: missing name"},
		"several": {
			&api.HostVolume{RequestedCapacityMinBytes: 10, RequestedCapacityMaxBytes: 5, RequestedCapabilities: []*api.HostVolumeCapability{{AttachmentMode: "y"}}},
			"volume validation failed: 3 errors occurred:\n\t* missing name\n\t* capacity_max (5) must be larger than capacity_min (10)\n" +
				"\t* invalid attachment mode: \"y\"",
		},
		"access mode": {
			&api.HostVolume{Name: "a", RequestedCapabilities: []*api.HostVolumeCapability{{AttachmentMode: "file-system", AccessMode: "x"}}},
			`volume validation failed: invalid access mode: "x"`,
		},
		"constraint": {
			&api.HostVolume{Name: "a", Constraints: []*api.Constraint{{RTarget: "x", Operand: "="}}},
			"volume validation failed: invalid constraint: 1 error occurred:\n\t* no attribute provided but is required by operator",
		},
		"ID":              {&api.HostVolume{ID: "x", Name: "a"}, `volume validation failed: invalid ID "x"`},
		"unknown ID":      {&api.HostVolume{ID: nobody, Name: "a"}, `cannot update volume "` + nobody + `": volume does not exist`},
		"namespace":       {&api.HostVolume{Name: "a", Namespace: "x"}, `volume validation failed: no such namespace "x"`},
		"plugin":          {&api.HostVolume{Name: "a", PluginID: "x"}, `could not place volume "a"` + noNode + "0 nodes had existing volume, 0 nodes filtered by node pool governance, 1 nodes were infeasible"},
		"plugin there":    {&api.HostVolume{Name: "a", PluginID: "x", NodeID: made.NodeID}, `HostVolume.Create error: no such plugin: "x"`},
		"name taken":      {&api.HostVolume{Name: "taken", PluginID: "mkdir"}, `could not place volume "taken"` + noNode + "1 nodes had existing volume"},
		"taken there":     {&api.HostVolume{Name: "taken", PluginID: "mkdir", NodeID: made.NodeID}, "HostVolume.Create error: volume name already exists on this node"},
		"pool":            {&api.HostVolume{Name: "a", PluginID: "mkdir", NodePool: "x"}, `validating volume "a" against state failed: node pool "x" does not exist`},
		"node":            {&api.HostVolume{Name: "a", PluginID: "mkdir", NodeID: nobody}, `validating volume "a" against state failed: node "` + nobody + `" does not exist`},
		"node's form":     {&api.HostVolume{Name: "a", PluginID: "mkdir", NodeID: "x"}, "node lookup failed: index error: UUID must be 36 characters"},
		"node's pool":     {&api.HostVolume{Name: "a", PluginID: "mkdir", NodeID: made.NodeID, NodePool: "all"}, `is not in pool "all"`},
		"no node has it":  {&api.HostVolume{Name: "a", PluginID: "mkdir", Constraints: []*api.Constraint{{LTarget: "${attr.kernel.name}", RTarget: "x", Operand: "="}}}, "1 nodes were infeasible"},
		"mode":            {&api.HostVolume{Name: "a", PluginID: "mkdir", Parameters: map[string]string{"mode": "x"}}, `HostVolume.Create error: invalid value for "mode": strconv.ParseUint: parsing "x": invalid syntax`},
		"owner":           {&api.HostVolume{Name: "a", PluginID: "mkdir", Parameters: map[string]string{"uid": "x"}}, `HostVolume.Create error: invalid value for "uid": strconv.Atoi: parsing "x": invalid syntax`},
		"moved":           {&api.HostVolume{ID: made.ID, Name: "a", NodeID: nobody}, "validating volume \"" + made.ID + "\" update failed: 1 error occurred:\n\t* node ID cannot be updated"},
		"to another pool": {&api.HostVolume{ID: made.ID, Name: "a", NodePool: "all"}, "\t* node pool cannot be updated"},
	} {
		if test.volume != nil && test.volume.RequestedCapabilities == nil && test.volume.Name != "" {
			test.volume.RequestedCapabilities = capability
		}
		_, _, err := c.HostVolumes().Create(&api.HostVolumeCreateRequest{Volume: test.volume}, nil)
		assert.ErrorContains(t, err, test.err, name)
	}
	for _, id := range []string{nobody, "x"} {
		_, _, err := c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: id}, nil)
		assert.ErrorContains(t, err, "no such volume: "+id)
		_, _, err = c.HostVolumes().Get(id, nil)
		assert.ErrorContains(t, err, "volume not found")
	}
	assert.Equal(t, http.StatusNotFound, get(t, n, "/v1/volumes?type=x", nil).StatusCode)
}

func TestVolumesAreEvents(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	volume := madeVolume(t, c, api.HostVolume{Name: "v"})
	_, _, err := c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: volume.ID}, nil)
	require.NoError(t, err)
	stream, err := c.EventStream().Stream(t.Context(), map[api.Topic][]string{"HostVolume": {"*"}}, 1, nil)
	require.NoError(t, err)
	var types []string
	for len(types) < 3 {
		batch := <-stream
		require.NoError(t, batch.Err)
		for _, e := range batch.Events {
			types = append(types, e.Type)
			assert.Equal(t, []string{volume.ID, "v", "mkdir"}, e.FilterKeys)
			assert.Contains(t, e.Payload, "Volume")
		}
	}
	assert.Equal(t, []string{"HostVolumeRegistered", "NodeRegistration", "HostVolumeDeleted"}, types)
}

func TestVolumesNeedTheirCapabilities(t *testing.T) {
	t.Parallel()
	n := start(t, Options{ACL: true, Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	_, _, err := c.HostVolumes().Create(&api.HostVolumeCreateRequest{Volume: &api.HostVolume{Name: "a"}}, nil)
	assert.ErrorContains(t, err, "Permission denied")
	_, _, err = c.HostVolumes().List(nil, nil)
	assert.ErrorContains(t, err, "Permission denied")
	_, _, err = c.HostVolumes().Delete(&api.HostVolumeDeleteRequest{ID: "a"}, nil)
	assert.ErrorContains(t, err, "Permission denied")
	_, _, err = c.CSIVolumes().List(nil)
	assert.ErrorContains(t, err, "Permission denied")
}

func TestThereAreNoCSIPlugins(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	volumes, _, err := c.CSIVolumes().List(nil)
	require.NoError(t, err)
	assert.Empty(t, volumes)
	plugins, _, err := c.CSIPlugins().List(nil)
	require.NoError(t, err)
	assert.Empty(t, plugins)
	_, _, err = c.CSIPlugins().Info("p", nil)
	assert.ErrorContains(t, err, "plugin not found")
	_, _, err = c.CSIVolumes().Info("v", nil)
	assert.ErrorContains(t, err, "volume not found")
	volume := &api.CSIVolume{ID: "v", PluginID: "p", RequestedCapabilities: []*api.CSIVolumeCapability{{AccessMode: "a", AttachmentMode: "b"}}}
	_, err = c.CSIVolumes().Register(volume, nil)
	assert.ErrorContains(t, err, "no CSI plugin named: p could be found")
	_, _, err = c.CSIVolumes().Create(&api.CSIVolume{ID: "v"}, nil)
	assert.ErrorContains(t, err, "validation: missing plugin id, must include at least one capability block")
	assert.ErrorContains(t, c.CSIVolumes().Deregister("v", true, nil), "volume not found: v")
	assert.ErrorContains(t, c.CSIVolumes().DeleteOpts(&api.CSIVolumeDeleteRequest{ExternalVolumeID: "v"}, nil), "volume not found: v")
	assert.ErrorContains(t, c.CSIVolumes().Detach("v", "n", nil), "no such volume")
	_, _, err = c.CSIVolumes().ListExternal("p", &api.QueryOptions{})
	assert.ErrorContains(t, err, "no such plugin")
	_, _, err = c.CSIVolumes().ListSnapshotsOpts(&api.CSISnapshotListRequest{PluginID: "p"})
	assert.ErrorContains(t, err, "no such plugin")
	_, _, err = c.CSIVolumes().CreateSnapshot(&api.CSISnapshot{SourceVolumeID: "v", PluginID: "p"}, nil)
	assert.ErrorContains(t, err, "1 error occurred:\n\t* no such volume \"v\"")
	assert.ErrorContains(t, c.CSIVolumes().DeleteSnapshot(&api.CSISnapshot{ID: "s", PluginID: "p"}, nil), "no such plugin")
}
