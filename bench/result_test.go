package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMedianAndPercentile(t *testing.T) {
	t.Parallel()
	assert.Zero(t, median(nil))
	assert.InDelta(t, 2, median([]float64{9, 1, 2}), 0)
	assert.InDelta(t, 2.5, median([]float64{9, 1, 2, 3}), 0)
	assert.Zero(t, percentile(nil, 99))
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100-i) * time.Millisecond
	}
	assert.InDelta(t, 50, percentile(hundred, 50), 0)
	assert.InDelta(t, 99, percentile(hundred, 99), 0)
	assert.InDelta(t, 7, percentile([]time.Duration{7 * time.Millisecond}, 99), 0)
}

// sample is a row of every kind. The machine halves its speed in the second
// round, which the ratio does not see.
func sample() []Result {
	limit, ours := []float64{8, 4, 8}, []float64{7.8, 3.9, 7.8}
	rows := []Result{
		result("limit", "pictures/s", limit),
		result("transform", "pictures/s", ours).against("limit", ours, limit).atLeast(0.95),
		result("signing, p99", "ms", []float64{12}).below(10),
		missing("sharp", errors.New("npm is not there")),
	}
	for i := range rows {
		rows[i].Suite = "pictures"
	}
	return rows
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	require.NoError(t, printTable(&out, sample()))
	var lines []string
	for line := range strings.Lines(out.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	assert.Equal(t, []string{
		"suite what median rounds ratio goal",
		"pictures limit 8.00 pictures/s 4.00–8.00",
		"pictures transform 7.80 pictures/s 3.90–7.80 0.975 of limit ≥ 0.95: met",
		"pictures signing, p99 12.0 ms < 10: MISSED",
		"pictures sharp not measured",
		"Not measured: sharp: npm is not there",
		"Goals missed: 1. Where others use the machine too (see its cores), measure again.",
	}, lines)
}

func TestJSON(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bench.json")
	require.NoError(t, writeJSON(path, sample()))
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(data), `"goal": "< 10"`)
	var rows []Result
	require.NoError(t, json.Unmarshal(data, &rows))
	assert.Equal(t, sample(), rows)
}

func TestPeersMayBeMissingButNotOurs(t *testing.T) {
	t.Parallel()
	fail := func() error { return errors.New("gone") }
	peer, ours := &entrant{name: "sharp"}, &entrant{name: "transform", ours: true}
	require.NoError(t, peer.attempt(fail))
	require.EqualError(t, ours.attempt(fail), "transform: gone")
	rows := table([]*entrant{peer})
	require.Len(t, rows, 1)
	assert.Equal(t, "gone", rows[0].Missing)
}
