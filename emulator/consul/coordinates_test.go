package consul

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// place says that a node is so many milliseconds from the origin.
func place(t *testing.T, c *Consul, node, segment string, milliseconds float64) {
	t.Helper()
	coord := origin()
	coord.Vec[0] = milliseconds / 1000
	_, err := officialClient(t, c).Coordinate().Update(&api.CoordinateEntry{Node: node, Segment: segment, Coord: coord}, nil)
	require.NoError(t, err)
}

func TestANodeHasAPlace(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerNode(t, c, "n1")
	status, header, _ := ask(t, c, http.MethodGet, "/v1/coordinate/node/n1", nil)
	assert.Equal(t, http.StatusNotFound, status)
	assert.NotEmpty(t, header.Get("X-Consul-Index"))

	place(t, c, "n1", "", 1)
	place(t, c, "N1", "edge", 2)
	place(t, c, "not in the catalog", "", 3)
	const plain = `{"Node":"n1","Segment":"","Coord":{"Vec":[0.001,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001}}`
	const agents = `{"Node":"dc1-1","Segment":"","Coord":{"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001}}`
	const edge = `{"Node":"n1","Segment":"edge","Coord":{"Vec":[0.002,0,0,0,0,0,0,0],"Error":1.5,"Adjustment":0,"Height":0.00001}}`
	for path, want := range map[string]string{
		"node/n1":            "[" + plain + "," + edge + "]",
		"node/n1?segment=":   "[" + plain + "]",
		"nodes":              "[" + agents + "," + plain + "," + edge + "]",
		"nodes?segment=edge": "[" + edge + "]",
		"nodes?segment=none": "[]",
	} {
		_, _, body := ask(t, c, http.MethodGet, "/v1/coordinate/"+path, nil)
		assert.Equal(t, want, body, path)
	}
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error { tx.DeleteNode("n1"); return nil }))
	_, _, body := ask(t, c, http.MethodGet, "/v1/coordinate/nodes", nil)
	assert.Equal(t, "["+agents+"]", body)
}

func TestAWrongCoordinateIsRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for body, want := range map[string]string{
		"":                                 "Request decode failed: EOF",
		"x":                                "Request decode failed: invalid character 'x' looking for beginning of value",
		`{"Node":"n"}`:                     "incompatible coordinate",
		`{"Node":"n","Coord":{"Vec":[0]}}`: "incompatible coordinate",
	} {
		status, _, answer := ask(t, c, http.MethodPut, "/v1/coordinate/update", strings.NewReader(body))
		assert.GreaterOrEqual(t, status, http.StatusBadRequest, body)
		assert.Equal(t, want, answer, body)
	}
}

func TestDatacentersHaveServers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1"}, {Name: "dc2"}}})
	list, err := officialClient(t, c).Coordinate().Datacenters()
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "dc2", list[1].Datacenter)
	assert.Equal(t, "dc2-1", list[1].Coordinates[0].Node)
}

func TestNodesAreSortedByDistance(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for node, at := range map[string]float64{"a": 30, "b": 10, "c": 20} {
		registerNode(t, c, node)
		place(t, c, node, "", at)
	}
	for near, want := range map[string][]string{
		"a":       {"a", "c", "b", "unknown"},
		"B":       {"b", "c", "a", "unknown"},
		"":        {"unknown", "c", "b", "a"},
		"nowhere": {"unknown", "c", "b", "a"},
		"unknown": {"unknown", "c", "b", "a"},
	} {
		list := []string{"unknown", "c", "b", "a"}
		sortByDistance(c.primary().store.View(), near, list, func(node string) string { return node })
		assert.Equal(t, want, list, near)
	}
}
