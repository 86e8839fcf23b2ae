package metrics_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/metrics"
)

func TestAnIntervalIsToldWhenItIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var recorder metrics.Recorder
		read := func() metrics.Summary { return metrics.NewSummary(nil, &recorder) }
		assert.Empty(t, read().Samples)
		labels := map[string]string{"method": "GET"}
		for _, took := range []time.Duration{time.Millisecond, 3 * time.Millisecond} {
			recorder.Measure("api.http", labels, took)
		}
		recorder.Count("rpc", nil)
		want := metrics.Sampled{
			Name: "api.http", Count: 2, Rate: 0.4, Sum: 4, Min: 1, Max: 3, Mean: 2, Stddev: 1.4142135623730951, Labels: labels,
		}
		require.Len(t, read().Samples, 1, "there is no interval before the first")
		assert.InDelta(t, want.Stddev, read().Samples[0].Stddev, 1e-9)
		time.Sleep(metrics.Interval)
		recorder.Measure("api.http", labels, time.Second)
		got := read().Samples[0]
		got.Stddev = want.Stddev
		assert.Equal(t, want, got)
		assert.Equal(t, "rpc", read().Counters[0].Name)
		time.Sleep(metrics.Interval)
		require.Len(t, read().Samples, 1)
		assert.Equal(t, 1, read().Samples[0].Count)
		time.Sleep(2 * metrics.Interval)
		assert.Empty(t, read().Samples, "nothing was measured in the last interval")
	})
}

func TestPrometheusReadsTotals(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var recorder metrics.Recorder
		labels := map[string]string{"path": "v1_jobs", "method": `a"b`}
		for range 3 {
			recorder.Count("nomad.rpc", labels)
			recorder.Measure("nomad.job.list", nil, time.Second)
			time.Sleep(2 * metrics.Interval)
		}
		text := string(metrics.NewSummary([]metrics.Gauge{
			{Name: "b", Value: 2}, {Name: "a.x-y", Value: 1, Labels: labels}, {Name: "b", Value: 3},
		}, &recorder).Prometheus())
		assert.Equal(t, `# HELP a_x_y a_x_y
# TYPE a_x_y gauge
a_x_y{method="a\"b",path="v1_jobs"} 1
# HELP b b
# TYPE b gauge
b 2
b 3
# HELP nomad_rpc nomad_rpc
# TYPE nomad_rpc counter
nomad_rpc{method="a\"b",path="v1_jobs"} 3
# HELP nomad_job_list nomad_job_list
# TYPE nomad_job_list summary
nomad_job_list_sum 3000
nomad_job_list_count 3
`, text)
	})
}

func TestASummaryHasListsAndNeverNull(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(metrics.NewSummary([]metrics.Gauge{}, nil))
	require.NoError(t, err)
	assert.NotContains(t, string(text), "null")
	assert.Contains(t, string(text), `"Points":[]`)
}

func TestTheProcessIsMeasured(t *testing.T) {
	t.Parallel()
	for _, g := range metrics.Process() {
		assert.True(t, strings.HasPrefix(g.Name, "runtime."), g.Name)
	}
}

func TestLabelsAreExtendedInACopy(t *testing.T) {
	t.Parallel()
	first := map[string]string{"a": "1"}
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, metrics.With(first, "b", "2"))
	assert.Equal(t, map[string]string{"a": "1"}, first)
	assert.Equal(t, map[string]string{}, metrics.With(nil))
}
