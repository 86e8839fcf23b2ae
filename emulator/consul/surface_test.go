package consul

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// update writes SURFACE.md anew: go test ./emulator/consul -run Surface -update
var update = flag.Bool("update", false, "write SURFACE.md anew")

const surfaceHead = `# The surface of the emulated Consul

Every route of Consul %s's HTTP API, and how far it is served here. Generated from the table of routes:
` + "`go test ./emulator/consul -run Surface -update`" + ` writes it anew, and the tests fail when it is not current.

- **faithful**: does what the real one does, as far as the community edition goes;
- **partial**: serves clients, with what is named missing;
- **absent**: answers 404, and is counted and logged as every unknown route is.

%d routes: %d faithful, %d partial, %d absent.

| method | path | here | what is missing, or why |
|---|---|---|---|
`

func surface(routes []route) string {
	slices.SortStableFunc(routes, func(a, b route) int { return strings.Compare(a.path, b.path) })
	words := map[fidelity]string{absent: "absent", partial: "partial", faithful: "faithful"}
	counts := map[fidelity]int{}
	var rows strings.Builder
	for _, r := range routes {
		counts[r.does]++
		fmt.Fprintf(&rows, "| %s | `%s` | %s | %s |\n", r.method, r.path, words[r.does], r.lacks)
	}
	return fmt.Sprintf(surfaceHead, Version, len(routes), counts[faithful], counts[partial], counts[absent]) + rows.String()
}

func TestSurfaceIsCurrent(t *testing.T) {
	const file = "SURFACE.md"
	now := surface(table())
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
		name := r.method + " " + r.path
		assert.False(t, seen[name], "%s is in the table twice", name)
		seen[name] = true
		assert.Equal(t, r.does == absent, r.handle == nil, "%s: what is absent has no handler, and nothing else has none", name)
		assert.Equal(t, r.does == faithful, r.lacks == "", "%s: what is not faithful says what is missing, and nothing else does", name)
	}
}
