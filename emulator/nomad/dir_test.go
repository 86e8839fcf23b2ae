package nomad_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/host/filelock"
)

func TestOneNomadAtATimeHasAFolder(t *testing.T) {
	t.Parallel()
	o := nomad.Options{Dir: t.TempDir()}
	first, err := nomad.Start(t.Context(), o)
	require.NoError(t, err)
	_, err = nomad.Start(t.Context(), o)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, first.Close())
	second, err := nomad.Start(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, first.Close(), "of one that is closed does not concern the next one")
	_, err = nomad.Start(t.Context(), o)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, second.Close())
}

// As with the real program, a task that runs as another user reaches its folder,
// and not the state.
func TestTasksOfOtherUsersReachTheirFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "global"), 0o700)) // as earlier versions made it
	n, err := nomad.Start(t.Context(), nomad.Options{Dir: dir, Regions: []nomad.Region{{Nodes: []nomad.Node{{Name: "n1"}}}}})
	require.NoError(t, err)
	defer n.Close()
	const others = 0o001
	for folder, open := range map[string]bool{"global": true, "global/client": true, "global/client/n1": true, "global/server": false} {
		info, err := os.Stat(filepath.Join(dir, folder))
		require.NoError(t, err)
		require.Equal(t, open, info.Mode().Perm()&fs.FileMode(others) != 0, "%s is %v", folder, info.Mode())
	}
}
