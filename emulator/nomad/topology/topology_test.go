package topology_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad"
	"github.com/drydock/drydock/emulator/nomad/topology"
)

func TestRegionsAndNodesAreRead(t *testing.T) {
	t.Parallel()
	regions, err := topology.Parse("zones.hcl", []byte(`
		region "global" {
			node "a1" {
				datacenter = "a"
				pool       = "gpu"
				class      = "large"
				meta       = { rack = "r1" }
				attributes = { platform = "x" }
				address    = "127.0.0.2"
				cpu        = 4000
				memory     = 8192
				disk       = 20480
				drivers    = ["raw_exec"]
			}
			node "b" { count = 2 }
			node "none" { count = 0 }
		}
		region "other" {
			http = "127.0.0.1:5646"
			node "a1" {}
		}`), nomad.Region{Name: "ignored", Server: "s", HTTP: "127.0.0.1:4646", Nodes: []nomad.Node{{Name: "ignored"}}})
	require.NoError(t, err)
	assert.Equal(t, []nomad.Region{
		{Name: "global", Server: "s", HTTP: "127.0.0.1:4646", Nodes: []nomad.Node{
			{
				Name: "a1", Datacenter: "a", Pool: "gpu", Class: "large", Meta: map[string]string{"rack": "r1"},
				Attributes: map[string]string{"platform": "x"}, Address: "127.0.0.2", CPU: 4000, Memory: 8192, Disk: 20480,
				Drivers: []string{"raw_exec"},
			},
			{Name: "b-1"}, {Name: "b-2"},
		}},
		{Name: "other", HTTP: "127.0.0.1:5646", Nodes: []nomad.Node{{Name: "a1"}}},
	}, regions)
}

func TestATopologyMayBeJSON(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "zones.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"region": {"global": {"node": {"a": {"count": 1}}}}}`), 0o600))
	regions, err := topology.Load(file, nomad.Region{})
	require.NoError(t, err)
	assert.Equal(t, []nomad.Region{{Name: "global", Nodes: []nomad.Node{{Name: "a-1"}}}}, regions)
}

func TestWhatIsNoTopologyIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, err string }{
		"no region":    {"", "it has no region: add a block region"},
		"no HCL":       {"region {", "read the topology zones:"},
		"no name":      {"region {}", "Missing name for region"},
		"a typo":       {`region "a" { nodes = 3 }`, "nodes"},
		"no number":    {"region \"a\" {\n node \"n\" { count = \"many\" }\n}", "number is required"},
		"less":         {"region \"a\" {\n node \"n\" { count = -1 }\n}", `region "a": node "n": the count -1 is not from 0 to 10000, all nodes together`},
		"too many":     {"region \"a\" {\n node \"n\" { count = 10001 }\n}", "the count 10001 is not from 0 to 10000"},
		"all together": {"region \"a\" {\n node \"n\" { count = 6000 }\n node \"m\" { count = 6000 }\n}", `node "m": the count 6000`},
		"twice":        {"region \"a\" {\n node \"n\" {}\n node \"n\" {}\n}", `there are two nodes named "n"`},
		"numbered":     {"region \"a\" {\n node \"n-1\" {}\n node \"n\" { count = 1 }\n}", `there are two nodes named "n-1"`},
	} {
		_, err := topology.Parse("zones", []byte(test.text), nomad.Region{})
		assert.ErrorContains(t, err, test.err, name)
	}
	_, err := topology.Load("/no/such/file", nomad.Region{})
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestTheDefaultHasThreeZones(t *testing.T) {
	t.Parallel()
	region := topology.Default("global")
	assert.Equal(t, "global", region.Name)
	zones := map[string]string{}
	for _, n := range region.Nodes {
		zones[n.Name] = n.Datacenter
		assert.Equal(t, n.Datacenter, n.Meta["zone"])
	}
	assert.Equal(t, map[string]string{"node-a": "a", "node-b": "b", "node-c": "c"}, zones)
}

// FuzzParse reads whatever is in a file: it is refused, or has regions.
func FuzzParse(f *testing.F) {
	f.Add("region \"a\" {\n node \"n\" { count = 2 }\n}")
	f.Fuzz(func(t *testing.T, text string) {
		regions, err := topology.Parse("zones.hcl", []byte(text), nomad.Region{})
		if err == nil {
			assert.NotEmpty(t, regions)
		}
	})
}
