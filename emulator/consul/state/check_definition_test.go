package state

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDurationsAreReadAsTextAndAsNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		`{"Interval":"10s"}`:      10 * time.Second,
		`{"Interval":5000000000}`: 5 * time.Second,
		`{"Interval":""}`:         0,
		`{"Interval":null}`:       0,
	} {
		var d CheckDefinition
		require.NoError(t, json.Unmarshal([]byte(text), &d), text)
		assert.Equal(t, want, time.Duration(d.Interval), text)
	}
	for _, text := range []string{`{"Interval":"soon"}`, `{"Interval":[]}`} {
		assert.Error(t, json.Unmarshal([]byte(text), new(CheckDefinition)), text)
	}
	written, err := json.Marshal(CheckDefinition{Interval: Duration(90 * time.Second), TCP: "x:1"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Interval":"1m30s","TCP":"x:1"}`, string(written))
}
