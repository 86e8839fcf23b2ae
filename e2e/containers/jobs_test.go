package containers

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/demo"
	"github.com/drydock/drydock/operate/deploy"
	"github.com/drydock/drydock/workers/images/vips"
)

func TestEveryRoleRunsAsAContainer(t *testing.T) {
	images(t)
	for name, start := range map[string]func(*testing.T) cluster{"emulated Nomad": emulated, "real Nomad": real} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			names := roles(t)
			o := c.deployOptions(t)
			o.Jobs, o.Names = jobs.Files, names
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			require.NoError(t, deploy.Run(ctx, o))
			c.checkPhotographs(ctx, t)
			for _, job := range names {
				c.checkContainer(t, job)
			}
		})
	}
}

// roles are the jobs that are no part of the platform.
func roles(t *testing.T) (names []string) {
	t.Helper()
	all, err := jobs.Names(jobs.Files)
	require.NoError(t, err)
	for _, name := range all {
		job, err := jobs.Read(jobs.Files, name, nil)
		require.NoError(t, err)
		if job.Part() == "" {
			names = append(names, name)
		}
	}
	return names
}

// pictures are photographs of every format that the worker makes, which is most of what it reads.
func pictures(t *testing.T) fs.FS {
	t.Helper()
	all := fstest.MapFS{}
	names, err := fs.Glob(demo.Photographs(), "*.jpg")
	require.NoError(t, err)
	for _, name := range names {
		content, err := fs.ReadFile(demo.Photographs(), name)
		require.NoError(t, err)
		all[name] = &fstest.MapFile{Data: content}
	}
	file := filepath.Join(t.TempDir(), names[0])
	require.NoError(t, os.WriteFile(file, all[names[0]].Data, 0o600))
	photograph, err := os.Open(file)
	require.NoError(t, err)
	defer photograph.Close()
	variants, err := vips.ParseVariants([]byte(`[{"name": "a", "width": 640, "format": "avif"}, {"name": "w", "width": 640, "format": "webp"}]`))
	require.NoError(t, err)
	_, made, err := vips.Transform(t.Context(), photograph, variants, vips.DefaultLimits())
	require.NoError(t, err)
	for _, one := range made {
		all["made."+string(one.Format)] = &fstest.MapFile{Data: one.Bytes}
	}
	return all
}

// checkPhotographs sends photographs through the containers.
func (c cluster) checkPhotographs(ctx context.Context, t *testing.T) {
	t.Helper()
	report, err := demo.Run(ctx, demo.Options{API: c.address(t, "uploads"), Files: pictures(t)})
	require.NoError(t, err)
	require.NotEmpty(t, report.Files)
	for _, file := range report.Files {
		assert.Equal(t, "processed", file.Status, "%s: %s", file.Name, file.Reason)
		assert.Len(t, file.Variants, 3, file.Name)
	}
}

// address is where the one instance of a service is, as http://host:port.
func (c cluster) address(t *testing.T, service string) string {
	t.Helper()
	found, _, err := c.consul.Health().Service(service, "", false, nil)
	require.NoError(t, err)
	require.Len(t, found, 1, service)
	return fmt.Sprintf("http://%s:%d", found[0].Service.Address, found[0].Service.Port)
}

// checkContainer looks at how the one container of a job runs.
func (c cluster) checkContainer(t *testing.T, job string) {
	t.Helper()
	found := c.containers(t, job)
	require.Len(t, found, 1, job)
	one := found[0]
	assert.Equal(t, "65532:65532", one.Config.User, job)
	assert.True(t, one.HostConfig.ReadonlyRootfs, job)
	assert.False(t, one.HostConfig.Privileged, job)
	assert.Equal(t, "host", one.HostConfig.NetworkMode, job)
	assert.Empty(t, one.HostConfig.CapAdd, job)
	assert.Equal(t, []string{"ALL"}, one.HostConfig.CapDrop, job)
	assert.Contains(t, one.HostConfig.SecurityOpt, "no-new-privileges", job)
	assert.Eventually(t, func() bool {
		now := c.containers(t, job)
		return len(now) == 1 && now[0].ID == one.ID && now[0].State.Health != nil && now[0].State.Health.Status == "healthy"
	}, within, 200*time.Millisecond, "the engine finds %s healthy", job)
}
