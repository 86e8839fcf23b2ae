package jobs_test

import (
	"testing"
	"time"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func periodic(config map[string]any) changes {
	return changes{"Type": "batch", "Periodic": config}
}

func TestNextLaunch(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, time.November, 26, 2, 43, 44, 0, time.UTC)
	for _, c := range []struct {
		config map[string]any
		want   string // empty: never
	}{
		{map[string]any{"Spec": "*/15 * * * *"}, "2026-11-26T02:45:00Z"},
		{map[string]any{"Specs": []any{"0 12 * * *", "0 3 * * *"}}, "2026-11-26T03:00:00Z"},
		{map[string]any{"Specs": []any{"@daily"}, "TimeZone": "Asia/Tokyo"}, "2026-11-27T00:00:00+09:00"},
		{map[string]any{"Specs": []any{"0 9 * * *"}, "TimeZone": "Europe/Rome"}, "2026-11-26T09:00:00+01:00"},
		{map[string]any{"Specs": []any{"0 0 30 2 *", "@daily"}}, "2026-11-27T00:00:00Z"},
		{map[string]any{"Specs": []any{"@daily", "0 0 30 2 *"}}, ""}, // as the real program has it
		{map[string]any{"Specs": []any{"0 0 30 2 *"}}, ""},
		{map[string]any{"Specs": []any{"@daily"}, "Enabled": false}, ""},
	} {
		next, err := jobs.Next(canonical(t, periodic(c.config)).Periodic, after)
		require.NoError(t, err)
		if c.want == "" {
			assert.True(t, next.IsZero(), "%v: %v", c.config, next)
		} else {
			assert.Equal(t, c.want, next.Format(time.RFC3339), "%v", c.config)
		}
	}
	_, err := jobs.Next(canonical(t, periodic(map[string]any{"Spec": "nope"})).Periodic, after)
	require.Error(t, err)
	_, err = jobs.Next(canonical(t, periodic(map[string]any{"Spec": "@daily", "TimeZone": "Nowhere"})).Periodic, after)
	require.Error(t, err)
}

func TestLaunchMakesAChild(t *testing.T) {
	t.Parallel()
	parent := canonical(t, periodic(map[string]any{"Specs": []any{"@daily"}}))
	asStored(parent)
	at := time.Unix(1795661036, 0)
	child := jobs.Launch(parent, at, at.Add(time.Second))
	assert.Equal(t, "web/periodic-1795661036", *child.ID)
	assert.Equal(t, *child.ID, *child.Name)
	assert.Equal(t, "web", *child.ParentID)
	assert.Nil(t, child.Periodic)
	assert.False(t, child.Dispatched)
	assert.Zero(t, *child.Version)
	assert.Equal(t, at.Add(time.Second).UnixNano(), *child.SubmitTime)
	assert.NotNil(t, parent.Periodic)
}
