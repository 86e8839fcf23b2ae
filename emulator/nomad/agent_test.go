package nomad

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAnAgentTellsOfItself(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Debug: true, Regions: []Region{{
		Name: "eu", Datacenter: "east", Server: "here", RPCPort: 5647, Nodes: []Node{{Name: "a", Class: "large"}},
	}}})
	agent := connect(t, n).Agent()
	self, err := agent.Self()
	require.NoError(t, err)
	assert.Equal(t, "here.eu", self.Member.Name)
	assert.Equal(t, "alive", self.Member.Status)
	assert.Equal(t, "5647", self.Member.Tags["port"])
	assert.Equal(t, "true", self.Stats["nomad"]["leader"])
	assert.NotEmpty(t, self.Stats["client"]["node_id"])
	assert.Equal(t, "large", self.Config["Client"].(map[string]any)["NodeClass"])
	for want, ask := range map[string]func() (string, error){"here.eu": agent.NodeName, "east": agent.Datacenter, "eu": agent.Region} {
		got, err := ask()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	servers, err := agent.Servers()
	require.NoError(t, err)
	assert.Equal(t, []string{"127.0.0.1:5647"}, servers)
	require.NoError(t, agent.SetServers(servers))
	host, err := agent.Host("", "", nil)
	require.NoError(t, err)
	assert.NotEmpty(t, host.HostData.OS)
	assert.NotContains(t, host.HostData.Environment, "NOMAD_TOKEN")
}

func TestAnAgentIsWell(t *testing.T) {
	t.Parallel()
	withNode := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	health, err := connect(t, withNode).Agent().Health()
	require.NoError(t, err)
	assert.True(t, health.Server.Ok)
	assert.True(t, health.Client.Ok)
	withoutNode := start(t, Options{})
	health, err = connect(t, withoutNode).Agent().Health()
	require.NoError(t, err)
	assert.True(t, health.Server.Ok)
	assert.Nil(t, health.Client)
	assert.Equal(t, 500, get(t, withoutNode, "/v1/agent/health?type=client", nil).StatusCode)
}

// joinable is a Nomad that those of other processes join at the address.
func joinable(t *testing.T) (n *Nomad, address string) {
	t.Helper()
	n = start(t, Options{Regions: []Region{{Name: "one", Server: "s1"}}})
	at, err := n.members.Listen("127.0.0.1:0")
	require.NoError(t, err)
	return n, at.String()
}

func TestServersOfTwoProcessesFindEachOther(t *testing.T) {
	t.Parallel()
	first, address := joinable(t)
	second := start(t, Options{Regions: []Region{{Name: "two", Server: "s2"}}})
	c := connect(t, second)
	joined, err := c.Agent().Join(address)
	require.NoError(t, err)
	assert.Equal(t, 1, joined)
	names := func(c *api.Client) []string {
		list, err := c.Agent().Members()
		require.NoError(t, err)
		var names []string
		for _, m := range list.Members {
			names = append(names, m.Name)
		}
		return names
	}
	assert.Equal(t, []string{"s2.two", "s1.one"}, names(c), "the one that answers is the first")
	other := connect(t, first)
	require.Eventually(t, func() bool { return len(names(other)) == 2 }, patience, 10*time.Millisecond)
	assert.Equal(t, []string{"s1.one", "s2.two"}, names(other))
	regions, err := c.Regions().List()
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two"}, regions)
	_, err = c.Agent().Join("127.0.0.1:1")
	assert.ErrorContains(t, err, "failed to join 127.0.0.1:1")
	_, err = c.Agent().Join()
	assert.ErrorContains(t, err, "missing address to join")
	require.NoError(t, c.Agent().ForceLeave("nobody.one"))
}

func TestTheLogIsFollowed(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	c := connect(t, n)
	stop := make(chan struct{})
	defer close(stop)
	frames, failures := c.Agent().Monitor(stop, &api.QueryOptions{Params: map[string]string{"log_level": "debug"}})
	deadline := time.After(patience)
	for {
		_, err := c.Status().Leader() // which is logged
		require.NoError(t, err)
		select {
		case frame := <-frames:
			if strings.Contains(string(frame.Data), "request complete") {
				return
			}
		case err := <-failures:
			t.Fatal(err)
		case <-deadline:
			t.Fatal("no line of the log has come")
		case <-time.After(10 * time.Millisecond): // and again
		}
	}
}

func TestWhatIsNoLogIsRefused(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	for name, test := range map[string]struct{ parameter, value, err string }{
		"a level":  {"log_level", "loud", "Unknown log level: loud"},
		"a node":   {"node_id", "x", "Unknown node x"},
		"a server": {"server_id", "x", "unknown Nomad server x"},
	} {
		stop := make(chan struct{})
		_, failures := c.Agent().Monitor(stop, &api.QueryOptions{Params: map[string]string{test.parameter: test.value}})
		select {
		case err := <-failures:
			assert.ErrorContains(t, err, test.err, name)
		case <-time.After(patience):
			t.Errorf("%s: nothing was answered", name)
		}
		close(stop)
	}
}

func TestProfilesAreForDebugging(t *testing.T) {
	t.Parallel()
	agent := connect(t, start(t, Options{Debug: true})).Agent()
	line, err := agent.Lookup("cmdline", api.PprofOptions{}, nil)
	require.NoError(t, err)
	assert.NotEmpty(t, line)
	goroutines, err := agent.Lookup("goroutine", api.PprofOptions{Debug: 1}, nil)
	require.NoError(t, err)
	assert.Contains(t, string(goroutines), "goroutine profile: total")
	_, err = agent.Lookup("nothing", api.PprofOptions{}, nil)
	assert.ErrorContains(t, err, "404")
	_, err = connect(t, start(t, Options{})).Agent().Lookup("cmdline", api.PprofOptions{}, nil)
	assert.ErrorContains(t, err, "404")
}

func TestWorkersAreConfigured(t *testing.T) {
	t.Parallel()
	agent := connect(t, start(t, Options{Regions: []Region{{Server: "here"}}})).Agent()
	config, err := agent.GetSchedulerWorkerConfig(nil)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"service", "batch", "system", "sysbatch", "_core"}, config.EnabledSchedulers)
	changed, err := agent.SetSchedulerWorkerConfig(api.SchedulerWorkerPoolArgs{NumSchedulers: 2, EnabledSchedulers: []string{"batch", "_core"}}, nil)
	require.NoError(t, err)
	assert.Equal(t, 2, changed.NumSchedulers)
	info, err := agent.GetSchedulerWorkersInfo(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"batch", "_core"}, info.Schedulers[0].EnabledSchedulers)
	_, err = agent.SetSchedulerWorkerConfig(api.SchedulerWorkerPoolArgs{NumSchedulers: 2, EnabledSchedulers: []string{"batch"}}, nil)
	assert.ErrorContains(t, err, "Invalid request")
}

func TestStrangersLearnNothingOfAnAgent(t *testing.T) {
	t.Parallel()
	agent := connect(t, start(t, Options{ACL: true})).Agent()
	for name, ask := range map[string]func() error{
		"self":     func() error { _, err := agent.Self(); return err },
		"members":  func() error { _, err := agent.Members(); return err },
		"join":     func() error { _, err := agent.Join("127.0.0.1:1"); return err },
		"leave":    func() error { return agent.ForceLeave("x") },
		"servers":  func() error { _, err := agent.Servers(); return err },
		"keys":     func() error { _, err := agent.ListKeys(); return err },
		"host":     func() error { _, err := agent.Host("", "", nil); return err },
		"profiles": func() error { _, err := agent.Lookup("heap", api.PprofOptions{}, nil); return err },
		"workers":  func() error { _, err := agent.GetSchedulerWorkersInfo(nil); return err },
	} {
		assert.ErrorContains(t, ask(), "Permission denied", name)
	}
}

func TestARegionJoinsThoseThatItIsTold(t *testing.T) {
	t.Parallel()
	first, address := joinable(t)
	start(t, Options{Regions: []Region{{Name: "two", Server: "s2", RetryJoin: []string{address}}}})
	c := connect(t, first)
	require.Eventually(t, func() bool {
		regions, err := c.Regions().List()
		return err == nil && len(regions) == 2
	}, patience, 10*time.Millisecond)
}
