package client

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVolumesOutliveTheNodesEnd(t *testing.T) {
	t.Parallel()
	c := testNode(t, newFakeServer(), func(o *Options) {
		o.Node.HostVolumes = map[string]*api.HostVolumeInfo{"static": {Path: "/srv"}}
	})
	data := &api.HostVolume{ID: "v1", Name: "data", PluginID: VolumePlugin}
	folder, err := c.CreateVolume(data)
	require.NoError(t, err)
	assert.DirExists(t, folder)
	again, err := c.CreateVolume(data)
	require.NoError(t, err, "it is there already")
	assert.Equal(t, folder, again)
	static := &api.HostVolumeInfo{Path: "/srv"}
	assert.Equal(t, map[string]*api.HostVolumeInfo{"static": static, "data": {ID: "v1", Path: folder}}, c.Node().HostVolumes)

	c.Kill()
	renamed := *data
	renamed.Name = "pictures"
	_, err = c.CreateVolume(&renamed)
	require.NoError(t, err, "the folder is there whether or not the node is")
	require.NoError(t, c.Revive(t.Context()))
	assert.Equal(t, map[string]*api.HostVolumeInfo{"static": static, "pictures": {ID: "v1", Path: folder}}, c.Node().HostVolumes)
	require.NoError(t, c.DeleteVolume(&renamed))
	assert.Equal(t, map[string]*api.HostVolumeInfo{"static": static}, c.Node().HostVolumes)
	assert.NoDirExists(t, folder)
}

func TestVolumeNamesAreTakenOnce(t *testing.T) {
	t.Parallel()
	c := testNode(t, newFakeServer(), func(o *Options) {
		o.Node.HostVolumes = map[string]*api.HostVolumeInfo{"static": {Path: "/srv"}}
	})
	_, err := c.CreateVolume(&api.HostVolume{ID: "v1", Name: "static", PluginID: VolumePlugin})
	assert.EqualError(t, err, "volume name already exists on this node")
	_, err = c.CreateVolume(&api.HostVolume{ID: "v1", Name: "data", PluginID: "other"})
	assert.EqualError(t, err, `no such plugin: "other"`)
	missing := filepath.Join(t.TempDir(), "none")
	err = c.RegisterVolume(&api.HostVolume{ID: "v1", Name: "data", HostPath: missing})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestFoldersAreMadeAsAsked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		parameters map[string]string
		mode       os.FileMode
		err        string
	}{
		"by default":    {nil, 0o700, ""},
		"with a mode":   {map[string]string{"mode": "0777"}, 0o777, ""},
		"no mode":       {map[string]string{"mode": "rwx"}, 0, `invalid value for "mode"`},
		"no user":       {map[string]string{"uid": "nobody"}, 0, `invalid value for "uid"`},
		"no group":      {map[string]string{"gid": "nobody"}, 0, `invalid value for "gid"`},
		"what is known": {map[string]string{"other": "x"}, 0o700, ""},
	} {
		owner, err := ownerOf(test.parameters)
		if test.err != "" {
			assert.ErrorContains(t, err, test.err, name)
			continue
		}
		require.NoError(t, err, name)
		folder := filepath.Join(t.TempDir(), "volumes", "one")
		require.NoError(t, owner.makeFolder(folder), name)
		made, err := os.Stat(folder)
		require.NoError(t, err, name)
		assert.Equal(t, test.mode, made.Mode().Perm(), name)
	}
}
