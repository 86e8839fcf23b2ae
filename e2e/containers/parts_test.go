package containers

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
	"github.com/drydock/drydock/jobs"
	"github.com/drydock/drydock/operate/deploy"
)

// platform are the parts that keep data, each on a volume of its name.
var platform = []string{"nats", "minio", "postgres"}

// TestThePlatformRunsAsContainersToo has photographs go through the worker, the
// real NATS and the real MinIO, all of them containers, also after the engine
// has killed those that keep data.
func TestThePlatformRunsAsContainersToo(t *testing.T) {
	images(t)
	require.NoError(t, buildParts())
	c := real(t)
	ports := parity.FreePorts(t, 5)
	o := c.deployOptions(t)
	o.Jobs, o.Names = jobs.Files, append([]string{"uploads", "images"}, platform...)
	o.Items = nil // passwords and keys are made
	o.Addresses = map[string]string{
		"events": fmt.Sprint("127.0.0.1:", ports[0]), "objects": fmt.Sprint("127.0.0.1:", ports[3]),
	}
	o.Variables = map[string]string{
		"driver":           "docker",
		"nats.image":       "drydock-nats:local",
		"minio.image":      "drydock-minio:local",
		"postgres.image":   "drydock-postgres:local",
		"nats.client_port": fmt.Sprint(ports[0]), "nats.cluster_port": fmt.Sprint(ports[1]), "nats.monitor_port": fmt.Sprint(ports[2]),
		"minio.api_port":       fmt.Sprint(ports[3]),
		"postgres.client_port": fmt.Sprint(ports[4]),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*within)
	defer cancel()
	require.NoError(t, deploy.Run(ctx, o))
	c.checkPhotographs(ctx, t)

	restarts := map[string]uint64{} // that there have to be
	for _, job := range platform {
		count, err := c.restarts(job)
		require.NoError(t, err)
		restarts[job] = count
		for _, one := range c.containers(t, job) {
			assert.Contains(t, one.HostConfig.SecurityOpt, "no-new-privileges", job)
			assert.Equal(t, []string{"ALL"}, one.HostConfig.CapDrop, job)
			docker(t, "kill", one.ID)
			restarts[job]++
		}
	}
	// That they are healthy is told of those before them for a moment.
	for _, job := range platform {
		require.Eventually(t, func() bool {
			count, err := c.restarts(job)
			if err != nil || count < restarts[job] {
				return false
			}
			found, _, err := c.consul.Health().Service(job, "", true, nil)
			return err == nil && len(found) == 1
		}, within, 200*time.Millisecond, "%s does not come back", job)
	}
	ready := c.address(t, "uploads") + "/health/ready"
	require.Eventually(t, func() bool {
		answer, err := http.Get(ready)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, within, 200*time.Millisecond, "uploads does not find them again")
	c.checkPhotographs(ctx, t)
}

// restarts are those of all tasks of a job.
func (c cluster) restarts(job string) (count uint64, err error) {
	allocations, _, err := c.nomad.Jobs().Allocations(job, false, nil)
	for _, a := range allocations {
		for _, task := range a.TaskStates {
			count += task.Restarts
		}
	}
	return count, err
}

// containers are those of the one allocation of a job.
func (c cluster) containers(t *testing.T, job string) []container {
	t.Helper()
	allocations, _, err := c.nomad.Jobs().Allocations(job, false, nil)
	require.NoError(t, err)
	require.Len(t, allocations, 1, job)
	found := containersOf(t, allocations[0].ID)
	require.NotEmpty(t, found, job)
	return found
}
