package nomad

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gaugesNamed are those of a name, by the value of a label.
func gaugesNamed(measured *api.MetricsSummary, name, label string) map[string]float32 {
	found := map[string]float32{}
	for _, g := range measured.Gauges {
		if g.Name == name {
			found[g.DisplayLabels[label]] = g.Value
		}
	}
	return found
}

func TestServersAndNodesAreMeasured(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Server: "here", Nodes: []Node{
		{Name: "a", CPU: 1000, Memory: 1000}, {Name: "b", CPU: 1000, Memory: 1000},
	}}}})
	c := connect(t, n)
	_, _, err := c.Jobs().Register(mockJob("sleeps", 1), nil)
	require.NoError(t, err)
	large := mockJob("large", 1)
	large.TaskGroups[0].Tasks[0].Resources = &api.Resources{CPU: new(5000), MemoryMB: new(10)}
	_, _, err = c.Jobs().Register(large, nil)
	require.NoError(t, err)

	var measured *api.MetricsSummary
	require.Eventually(t, func() bool {
		measured, _, err = c.Operator().MetricsSummary(nil)
		return err == nil && gaugesNamed(measured, "nomad.nomad.job_summary.running", "job")["sleeps"] == 1 &&
			gaugesNamed(measured, "nomad.nomad.blocked_evals.total_blocked", "host")["here"] == 1
	}, patience, 50*time.Millisecond)
	assert.Empty(t, measured.Points)
	assert.NotEmpty(t, measured.Counters)
	samples := map[string]int{}
	for _, s := range measured.Samples {
		samples[s.Name] = s.Count
	}
	assert.NotZero(t, samples["nomad.nomad.job.register"])
	assert.NotZero(t, samples["nomad.nomad.client.register"])
	assert.NotZero(t, samples["nomad.nomad.worker.invoke_scheduler_service"])
	assert.Equal(t, map[string]float32{"large": 5000}, gaugesNamed(measured, "nomad.nomad.blocked_evals.job.cpu", "job"))
	assert.Equal(t, map[string]float32{"dc1": 5000}, gaugesNamed(measured, "nomad.nomad.blocked_evals.cpu", "datacenter"))
	assert.Equal(t, map[string]float32{"here": 2}, gaugesNamed(measured, "nomad.nomad.heartbeat.active", "host"))
	assert.Equal(t, map[string]float32{"here": 1}, gaugesNamed(measured, "nomad.nomad.job_status.running", "host"))
	assert.Contains(t, gaugesNamed(measured, "nomad.nomad.broker.service.ready", "host"), "here")
	allocated := gaugesNamed(measured, "nomad.client.allocated.cpu", "host")
	assert.EqualValues(t, 10, allocated["a"]+allocated["b"])
	left := gaugesNamed(measured, "nomad.client.unallocated.cpu", "host")
	assert.EqualValues(t, 1990, left["a"]+left["b"])
	assert.Positive(t, gaugesNamed(measured, "nomad.client.host.memory.total", "host")["a"])
	assert.Positive(t, gaugesNamed(measured, "nomad.runtime.alloc_bytes", "host")["here"])
}

func TestPrometheusHasToBeEnabled(t *testing.T) {
	t.Parallel()
	for enabled, want := range map[bool]struct {
		status int
		text   string
	}{
		true:  {http.StatusOK, "# HELP nomad_nomad_broker_total_ready"},
		false: {http.StatusUnsupportedMediaType, "Prometheus is not enabled"},
	} {
		n := start(t, Options{Regions: []Region{{Prometheus: enabled}}})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL("global")+"/v1/metrics?format=prometheus", nil)
		require.NoError(t, err)
		answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, want.status, answer.StatusCode)
		assert.Contains(t, string(body), want.text)
	}
}

func TestEveryMeasuredCallHasItsRoute(t *testing.T) {
	t.Parallel()
	routes := map[string]bool{}
	for _, r := range table() {
		routes[r.Method+" "+r.Path] = true
	}
	for call := range calls() {
		assert.True(t, routes[call], "%s is measured and is no route", call)
	}
}

func TestChildrenSayWhatHasBegunThem(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]map[string]string{
		"import":                 {"job": "import", "namespace": "default"},
		"import/dispatch-17-abc": {"job": "import/dispatch-17-abc", "namespace": "default", "parent_id": "import", "dispatch_id": "17-abc"},
		"import/periodic-17":     {"job": "import/periodic-17", "namespace": "default", "parent_id": "import", "periodic_id": "17"},
	} {
		job := &api.Job{ID: &id, Namespace: new("default")}
		if want["parent_id"] != "" {
			job.ParentID = new(want["parent_id"])
		}
		assert.Equal(t, want, jobLabels(job), id)
	}
}
