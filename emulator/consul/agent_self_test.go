package consul

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/members"
)

func TestWhatAnAgentTellsAboutItself(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Node: "here", ID: "11111111-2222-3333-4444-555555555555"}}}}})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"web","Check":{"TTL":"1h"}}`)
	self, err := agent.Self()
	require.NoError(t, err)
	assert.Equal(t, "here", self["Config"]["NodeName"])
	assert.Equal(t, "11111111-2222-3333-4444-555555555555", self["Config"]["NodeID"])
	assert.Equal(t, "tcp://127.0.0.1:8301", self["DebugConfig"]["SerfAdvertiseAddrLAN"])
	assert.Equal(t, map[string]any{"check_monitors": "0", "check_ttls": "1", "checks": "1", "services": "1"}, self["Stats"]["agent"])
	host, err := agent.Host()
	require.NoError(t, err)
	assert.NotEmpty(t, host["Memory"])
	version, err := agent.Version()
	require.NoError(t, err)
	assert.Equal(t, Version, version["HumanVersion"])
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Prometheus: true}}}}})
	agent := officialClient(t, c).Agent()
	registerLocal(t, c, `{"Name":"web"}`)
	measured, err := agent.Metrics()
	require.NoError(t, err)
	gauges := map[string]float32{}
	for _, g := range measured.Gauges {
		name := strings.Split(g.Name, ".")
		gauges[strings.Join(name[max(0, len(name)-2):], ".")] = g.Value
	}
	assert.EqualValues(t, 2, gauges["state.services"])
	assert.Positive(t, gauges["runtime.alloc_bytes"])
	require.NotEmpty(t, measured.Samples)
	assert.Equal(t, map[string]string{"method": "PUT", "path": "v1_agent_service_register"}, measured.Samples[len(measured.Samples)-1].Labels)
	_, _, text := ask(t, c, http.MethodGet, "/v1/agent/metrics?format=prometheus", nil)
	assert.Contains(t, text, "# TYPE consul_api_http summary\n")
	assert.Contains(t, text, `consul_api_http_count{method="PUT",path="v1_agent_service_register"} 1`)
	_, _, text = ask(t, start(t, Options{}), http.MethodGet, "/v1/agent/metrics?format=prometheus", nil)
	assert.Empty(t, text, "an agent that is not told to has none")
}

func TestTheLogIsFollowed(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for format, first := range map[string]string{"": "[DEBUG] agent.http: Request finished: ", "&logjson": `"@message":"Request finished"`} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL("dc1")+"/v1/agent/monitor?loglevel=debug"+format, nil)
		require.NoError(t, err)
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		require.NoError(t, err)
		defer answer.Body.Close()
		lines := bufio.NewScanner(answer.Body)
		found := make(chan string, 1)
		go func() {
			for lines.Scan() {
				if strings.Contains(lines.Text(), "url=/v1/agent/version?token") || strings.Contains(lines.Text(), `"/v1/agent/version?token`) {
					found <- lines.Text()
					return
				}
			}
		}()
		ask(t, c, http.MethodGet, "/v1/agent/version?token=secret", nil)
		select {
		case line := <-found:
			assert.Contains(t, line, first)
			assert.NotContains(t, line, "secret")
		case <-time.After(10 * time.Second):
			require.Fail(t, "nothing of the log comes")
		}
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{
		{Name: "dc1", Agents: []Agent{{Node: "a"}, {Node: "b"}}}, {Name: "dc2", Agents: []Agent{{Node: "c"}}},
	}})
	agent := officialClient(t, c).Agent()
	names := func(o api.MembersOpts) (list []string) {
		t.Helper()
		found, err := agent.MembersOpts(o)
		require.NoError(t, err)
		for _, m := range found {
			list = append(list, m.Name+" "+m.Tags["role"])
		}
		return list
	}
	assert.Equal(t, []string{"a consul", "b node"}, names(api.MembersOpts{Segment: api.AllSegments}))
	assert.Equal(t, []string{"a.dc1 consul", "c.dc2 consul"}, names(api.MembersOpts{WAN: true}))
	assert.Equal(t, []string{"c.dc2 consul"}, names(api.MembersOpts{WAN: true, Filter: `Tags["dc"] == dc2`}))
	require.NoError(t, agent.ForceLeave("a"))
	require.NoError(t, agent.Join("127.0.0.1", false), "it is its own member")
	assert.Equal(t, []string{"a consul", "b node"}, names(api.MembersOpts{}))
}

// Two Consuls find each other, and one leaves.
func TestJoinAndLeave(t *testing.T) {
	t.Parallel()
	first := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Node: "first", SerfLAN: freeAddress(t), SerfWAN: freeAddress(t)}}}}})
	one := first.primary().agents[0].options
	second := start(t, Options{Datacenters: []Datacenter{{Name: "dc2", Agents: []Agent{{Node: "second", SerfLAN: freeAddress(t), RetryJoinWAN: []string{one.SerfWAN}}}}}})
	client, err := api.NewClient(&api.Config{Address: second.URL("dc2"), Transport: &http.Transport{DisableKeepAlives: true}})
	require.NoError(t, err)
	require.NoError(t, client.Agent().Join(one.SerfLAN, false))
	status := func(wan bool) map[string]int {
		list, err := officialClient(t, first).Agent().Members(wan)
		require.NoError(t, err)
		all := map[string]int{}
		for _, m := range list {
			all[m.Name] = m.Status
		}
		return all
	}
	require.EventuallyWithT(t, func(t *assert.CollectT) {
		assert.Equal(t, map[string]int{"first": members.Alive, "second": members.Alive}, status(false))
		assert.Equal(t, map[string]int{"first.dc1": members.Alive, "second.dc2": members.Alive}, status(true))
	}, 10*time.Second, 5*time.Millisecond)
	require.NoError(t, client.Agent().Leave())
	assert.Equal(t, map[string]int{"first": members.Alive, "second": members.Left}, status(false))
	select {
	case <-second.Left():
	case <-time.After(10 * time.Second):
		require.Fail(t, "the agent does not leave")
	}
	_, err = client.Agent().Self()
	require.Error(t, err, "nobody answers any more")
}

// freeAddress is an address that nobody has, yet.
func freeAddress(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, socket.Close())
	return socket.Addr().String()
}

func TestAClientThatLeavesIsTakenOffTheCatalog(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Node: "server"}, {Node: "client"}}}}})
	leaver, err := api.NewClient(&api.Config{Address: c.primary().agents[1].http.URL(), Transport: &http.Transport{DisableKeepAlives: true}})
	require.NoError(t, err)
	require.NoError(t, leaver.Agent().Leave())
	nodes, _, err := officialClient(t, c).Catalog().Nodes(nil)
	require.NoError(t, err)
	require.Len(t, nodes, 1)
	assert.Equal(t, "server", nodes[0].Node)
}

func TestTokensOfTheAgent(t *testing.T) {
	t.Parallel()
	c := start(t, Options{ACL: ACL{Enabled: true, Allow: true}})
	for name, want := range map[string]int{
		"default": 200, "acl_token": 200, "agent": 200, "acl_agent_token": 200, "agent_recovery": 200, "agent_master": 200,
		"acl_agent_master_token": 200, "replication": 200, "acl_replication_token": 200, "config_file_service_registration": 200, "dns": 200, "none": 404,
	} {
		status, _, text := ask(t, c, http.MethodPut, "/v1/agent/token/"+name, strings.NewReader(`{"Token":""}`))
		assert.Equal(t, want, status, name+text)
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Debug: true}}}}})
	for _, path := range []string{"", "heap", "goroutine", "cmdline", "profile?seconds=1"} {
		status, _, body := ask(t, c, http.MethodGet, "/debug/pprof/"+path, nil)
		assert.Equal(t, http.StatusOK, status, path)
		assert.NotEmpty(t, body, path)
	}
	status, _, _ := ask(t, start(t, Options{}), http.MethodGet, "/debug/pprof/heap", nil)
	assert.Equal(t, http.StatusUnauthorized, status)
}

func TestOtherAddresses(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "consul.sock")
	o := Agent{HTTP: "unix://" + socket + " 127.0.0.1:0", HTTPS: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{certificate(t)}}}
	for range 2 { // the second time over the socket that the first has left
		c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{o}}}})
		assert.Equal(t, http.StatusOK, answerAt(t, "http://consul", &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
		}))
		listeners := c.primary().agents[0].listeners
		require.Len(t, listeners, 3)
		assert.Equal(t, http.StatusOK, answerAt(t, listeners[2].URL(), &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}))
		require.NoError(t, c.Close())
	}
}

// answerAt is the status that an agent answers with over the transport.
func answerAt(t *testing.T, url string, over *http.Transport) int {
	t.Helper()
	over.DisableKeepAlives = true
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/agent/self", nil)
	require.NoError(t, err)
	answer, err := (&http.Client{Transport: over}).Do(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// certificate is one of its own for 127.0.0.1.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	made, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{made}, PrivateKey: key}
}

func TestManyConsulsInOneProcess(t *testing.T) {
	t.Parallel()
	for range 50 {
		c, err := Start(t.Context(), Options{})
		require.NoError(t, err)
		registerLocal(t, c, `{"Name":"web","Check":{"HTTP":"http://127.0.0.1:1","Interval":"1s"}}`)
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
	}
}

func TestDevelopmentModeIndents(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{Pretty: true}}}}})
	_, _, body := ask(t, c, http.MethodGet, "/v1/agent/version", nil)
	assert.True(t, strings.HasPrefix(body, "{\n    \"SHA\""), body)
	assert.True(t, json.Valid([]byte(body)))
}
