package cluster

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

func TestWhatIsNotOnThePathIsToldBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, program := range []string{"consul", "sleep"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), nil, 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nomad"), nil, 0o644), "which cannot be run")
	o := Options{Path: t.TempDir() + ":" + dir, Jobs: fstest.MapFS{"sleeper.nomad.hcl": {Data: []byte(sleeper)}}}
	require.ErrorContains(t, checkPrograms(o), "not on the PATH: nomad: ")
	require.NoError(t, os.Chmod(filepath.Join(dir, "nomad"), 0o755))
	require.NoError(t, checkPrograms(o))
}

func TestTheJobsOfTheRepositorySayWhatTheyRun(t *testing.T) {
	t.Parallel()
	wanted, err := programs(Options{Jobs: jobs.Files})
	require.NoError(t, err)
	assert.Subset(t, wanted, []string{"consul", "nomad", "nats-server", "minio", "drydock", "drydock-images"})
}
