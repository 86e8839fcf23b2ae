package consul

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/rest"
)

// update writes SURFACE.md anew: go test ./emulator/consul -run Surface -update
var update = flag.Bool("update", false, "write SURFACE.md anew")

func TestSurfaceIsCurrent(t *testing.T) {
	const file = "SURFACE.md"
	now := rest.Surface("Consul", Version, table())
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(now), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, string(kept) == now, "the routes have changed: go test ./emulator/consul -run Surface -update")
}

func TestEveryRouteSaysHowFarItGoes(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range table() {
		name := r.Method + " " + r.Path
		assert.False(t, seen[name], "%s is in the table twice", name)
		seen[name] = true
		assert.Equal(t, r.Does == rest.Absent, r.Handle == nil, "%s: what is absent has no handler, and nothing else has none", name)
		assert.Equal(t, r.Does == rest.Faithful, r.Lacks == "", "%s: what is not faithful says what is missing, and nothing else does", name)
	}
}
