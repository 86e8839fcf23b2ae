package allocdir

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuildAndRemove(t *testing.T) {
	t.Parallel()
	d := Dir{Root: filepath.Join(t.TempDir(), "an-allocation")}
	require.NoError(t, d.Build([]string{"web", "side"}))
	require.NoError(t, d.Build([]string{"web", "side"}), "what is there stays")
	for folder, mode := range map[string]os.FileMode{
		"alloc": 0o777, "alloc/data": 0o777, "alloc/logs": 0o777, "alloc/tmp": 0o777,
		"web": 0o777, "web/local": 0o777, "web/secrets": 0o777, "web/private": 0o777, "side/tmp": 0o777 | os.ModeSticky,
	} {
		info, err := os.Stat(filepath.Join(d.Root, folder))
		require.NoError(t, err)
		require.Equal(t, mode|os.ModeDir, info.Mode(), folder)
	}
	require.Equal(t, filepath.Join(d.Root, "alloc", "logs", "web.stdout.3"), d.LogFile("web", "stdout", 3))
	require.Equal(t, d.Shared(), d.Task("web").Shared)
	require.NoError(t, d.WipeSecrets([]string{"web"}))
	require.NoDirExists(t, d.Task("web").Secrets())
	require.DirExists(t, d.Task("side").Secrets())
	require.NoError(t, d.Remove())
	require.NoDirExists(t, d.Root)
}

func TestBuildSaysWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, Dir{Root: file}.Build(nil), "build the directory of the allocation")
}
