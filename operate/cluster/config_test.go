package cluster

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testStack is a cluster whose files are below a temporary folder.
func testStack(t *testing.T) *Stack {
	t.Helper()
	dir := t.TempDir()
	at := site{name: "ddunit", dir: filepath.Join(dir, "cluster"), etc: filepath.Join(dir, "etc")}
	return newStack(at, netip.MustParsePrefix("203.0.113.0/24"), "/bin")
}

func TestAgentsAreConfiguredForTheirZone(t *testing.T) {
	t.Parallel()
	stack := testStack(t)
	z := stack.Zones[1]
	require.NoError(t, stack.writeConfigs(z))
	dir := filepath.Join(stack.site.dir, "b")

	for name, lines := range map[string][]string{
		consulAgent: {
			`bind_addr   = "203.0.113.12"`,
			`retry_join       = ["203.0.113.11","203.0.113.12","203.0.113.13"]`,
			`bootstrap_expect = 3`,
			`data_dir   = "` + dir + `/consul"`,
			`dns      = 53`,
		},
		nomadServer: {
			`rpc  = "203.0.113.12"`,
			`retry_join     = ["203.0.113.11:4648","203.0.113.12:4648","203.0.113.13:4648"]`,
			`bootstrap_expect = 3`,
			`data_dir   = "` + dir + `/nomad-server"`,
		},
		nomadClient: {
			`servers           = ["203.0.113.11:4647","203.0.113.12:4647","203.0.113.13:4647"]`,
			`name       = "node-b"`,
			`zone    = "b"`,
			`volumes = "` + stack.site.dir + `/volumes"`,
			`path = "` + stack.site.dir + `/volumes/minio"`,
		},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name+".hcl"))
		require.NoError(t, err)
		_, diagnostics := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
		require.False(t, diagnostics.HasErrors(), diagnostics.Error())
		for _, line := range lines {
			assert.Contains(t, string(text), line, name)
		}
	}
	for _, name := range volumeNames {
		assert.DirExists(t, filepath.Join(dir, "volumes", name))
	}
}

func TestAgentsRunInTheirZone(t *testing.T) {
	t.Parallel()
	stack := testStack(t)
	agent := stack.agent(stack.Zones[2], nomadServer)
	assert.Equal(t, []string{"ip", "netns", "exec", "ddunit-c"}, agent.Within)
	assert.Equal(t, []string{"nomad", "agent", "-config=" + stack.site.dir + "/c/nomad-server.hcl"}, agent.Command)
	assert.Contains(t, agent.Environment, "PATH=/bin")

	agent = stack.agent(stack.Zones[2], nomadClient)
	assert.Equal(t, []string{"sh", stack.site.dir + "/c/volumes", stack.site.dir + "/volumes"}, agent.Within[len(agent.Within)-3:],
		"the volumes of each zone are at one path")
}
