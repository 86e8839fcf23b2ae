package s3

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// update writes SURFACE.md anew: go test ./emulator/s3 -run Surface -update
var update = flag.Bool("update", false, "write SURFACE.md anew")

const surfaceHead = `# The surface of the emulated object store

Every operation of the S3 API, and those of MinIO's own that are about buckets and objects, and how far each is served
here. Generated from the table of routes: ` + "`go test ./emulator/s3 -run Surface -update`" + ` writes it anew, and the tests
fail when it is not current.

- **faithful**: does what MinIO does;
- **partial**: serves clients, with what is named missing;
- **absent**: answers NotImplemented, as does every query parameter that is not understood.

%d operations: %d faithful, %d partial, %d absent.

| operation | request | here | what is missing, or why |
|---|---|---|---|
`

// surface describes the operations for readers.
func surface(table map[routeKey]route) string {
	var rows strings.Builder
	counts := map[string]int{}
	for _, o := range operations() {
		does := "faithful"
		if _, ok := table[o.routeKey]; !ok {
			does = "absent"
		} else if o.lacks != "" {
			does = "partial"
		}
		counts[does]++
		fmt.Fprintf(&rows, "| %s | `%s` | %s | %s |\n", o.name, o.routeKey, does, o.lacks)
	}
	return fmt.Sprintf(surfaceHead, len(operations()), counts["faithful"], counts["partial"], counts["absent"]) + rows.String()
}

// String writes the request, for readers.
func (k routeKey) String() string {
	path := [...]string{"/", "/{bucket}", "/{bucket}/{key}"}[k.level]
	if k.sub != "" {
		path += "?" + k.sub
	}
	return k.method + " " + strings.ReplaceAll(path, "?"+subPOST, " "+subPOST)
}

func TestSurfaceIsCurrent(t *testing.T) {
	const file = "SURFACE.md"
	now := surface(routes())
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(now), 0o644))
	}
	kept, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.True(t, string(kept) == now, "the routes have changed: go test ./emulator/s3 -run Surface -update")
}

func TestEveryRouteIsOnTheSurface(t *testing.T) {
	t.Parallel()
	described := map[routeKey]bool{}
	for _, o := range operations() {
		assert.False(t, described[o.routeKey], "%s is described twice", o.routeKey)
		described[o.routeKey] = true
	}
	for k := range routes() {
		assert.True(t, described[k], "%s is served and not described: add it to operations", k)
	}
	for _, o := range absent(routes()) {
		assert.NotEmpty(t, o.lacks, "%s is absent, and operations does not say why", o.name)
	}
}

// What S3 has and is not here is refused by the served handler, and changes
// nothing; so is what nobody has.
func TestWhatIsAbsentIsNotImplemented(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "content")
	refused := []routeKey{
		{http.MethodPut, bucketLevel, "bogus"}, {http.MethodDelete, bucketLevel, "bogus"}, {http.MethodGet, bucketLevel, "bogus"},
		{http.MethodPut, objectLevel, "bogus"}, {http.MethodDelete, objectLevel, "bogus"}, {http.MethodGet, objectLevel, "bogus"},
	}
	for k := range absent(routes()) {
		refused = append(refused, k)
	}
	for _, k := range refused {
		path := [...]string{"/", "/" + b, "/" + b + "/key"}[k.level]
		r := e.signed(t, k.method, path+"?"+k.sub, nil)
		assert.Equal(t, http.StatusNotImplemented, r.status, k)
		assert.Equal(t, "NotImplemented", r.code(t), k)
	}
	require.Equal(t, "content", e.read(t, b, "key"))
}
