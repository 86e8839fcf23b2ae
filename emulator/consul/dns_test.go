package consul

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startDNS starts dc1 and dc2, whose agents answer DNS, and returns the client
// of dc1's.
func startDNS(t *testing.T) (*Consul, *api.Client) {
	t.Helper()
	c := start(t, Options{Datacenters: []Datacenter{
		{Name: "dc1", Agents: []Agent{{DNS: "127.0.0.1:0"}}},
		{Name: "dc2", Agents: []Agent{{DNS: "127.0.0.1:0"}}},
	}})
	return c, clientOf(t, c, "dc1")
}

// lookUp asks a DNS for a name over UDP and TCP, which have to agree, and
// returns the status and the answers, sorted.
func lookUp(t *testing.T, address, name string, qtype uint16) (string, []string) {
	t.Helper()
	question := new(dns.Msg).SetQuestion(name, qtype)
	var said []string
	var status string
	for _, network := range []string{"udp", "tcp"} {
		client := &dns.Client{Net: network}
		answer, _, err := client.ExchangeContext(t.Context(), question, address)
		require.NoError(t, err)
		var records []string
		for _, record := range answer.Answer {
			records = append(records, strings.TrimPrefix(record.String(), record.Header().String()))
		}
		slices.Sort(records)
		if network == "tcp" {
			require.Equal(t, said, records, "UDP and TCP differ")
		}
		said, status = records, dns.RcodeToString[answer.Rcode]
	}
	return status, said
}

func registerAll(t *testing.T, client *api.Client, registrations ...*api.CatalogRegistration) {
	t.Helper()
	for _, registration := range registrations {
		_, err := client.Catalog().Register(registration, nil)
		require.NoError(t, err)
	}
}

// aWeb is an instance of the service web on a node, with a check of a status.
func aWeb(number int, status string) *api.CatalogRegistration {
	node := fmt.Sprintf("n%d", number)
	return &api.CatalogRegistration{
		Node: node, Address: fmt.Sprintf("10.0.0.%d", number),
		Service: &api.AgentService{
			Service: "web", Port: 8000 + number, Tags: []string{"V" + fmt.Sprint(number)},
			Weights: api.AgentWeights{Passing: 10, Warning: 3},
		},
		Check: &api.AgentCheck{Node: node, CheckID: "c", Name: "c", Status: status, ServiceID: "web"},
	}
}

func TestDNSFollowsTheCatalogAndItsHealth(t *testing.T) {
	t.Parallel()
	c, client := startDNS(t)
	registerAll(t, client, aWeb(1, api.HealthPassing), aWeb(2, api.HealthWarning), aWeb(3, api.HealthCritical),
		&api.CatalogRegistration{Node: "n1", Address: "10.0.0.1", Service: &api.AgentService{
			Kind: api.ServiceKindConnectProxy, Service: "web-proxy", Address: "10.0.1.1", Port: 21000,
			Proxy: &api.AgentServiceConnectProxyConfig{DestinationServiceName: "web"},
		}},
		&api.CatalogRegistration{Node: "n2", Address: "10.0.0.2", Service: &api.AgentService{
			Kind: api.ServiceKindIngressGateway, Service: "door", Port: 443,
		}},
		&api.CatalogRegistration{Node: "dc1-1", Address: "127.0.0.1", Service: &api.AgentService{Service: "consul", Port: 8300}},
	)
	_, _, err := client.ConfigEntries().Set(&api.IngressGatewayConfigEntry{
		Kind: api.IngressGateway, Name: "door",
		Listeners: []api.IngressListener{{Port: 443, Protocol: "tcp", Services: []api.IngressService{{Name: "web"}}}},
	}, nil)
	require.NoError(t, err)

	for _, test := range []struct {
		name    string
		qtype   uint16
		status  string
		answers []string
	}{
		{"web.service.consul.", dns.TypeA, "NOERROR", []string{"10.0.0.1", "10.0.0.2"}},
		{"WEB.Service.Consul.", dns.TypeA, "NOERROR", []string{"10.0.0.1", "10.0.0.2"}},
		{"web.service.dc1.consul.", dns.TypeA, "NOERROR", []string{"10.0.0.1", "10.0.0.2"}},
		{"v2.web.service.consul.", dns.TypeA, "NOERROR", []string{"10.0.0.2"}},
		{"v3.web.service.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"web.service.consul.", dns.TypeSRV, "NOERROR", []string{"1 10 8001 n1.node.dc1.consul.", "1 3 8002 n2.node.dc1.consul."}},
		{"_web._v1.service.consul.", dns.TypeSRV, "NOERROR", []string{"1 10 8001 n1.node.dc1.consul."}},
		{"web.service.dc2.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"web.service.nope.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"other.service.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"web.connect.consul.", dns.TypeA, "NOERROR", []string{"10.0.1.1"}},
		{"web.ingress.consul.", dns.TypeA, "NOERROR", []string{"10.0.0.2"}},
		{"web.virtual.consul.", dns.TypeA, "NOERROR", []string{"240.0.0.1"}},
		{"other.virtual.consul.", dns.TypeA, "NOERROR", nil},
		{"n3.node.consul.", dns.TypeA, "NOERROR", []string{"10.0.0.3"}},
		{"n9.node.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"n3.node.nope.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"q.query.nope.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"q.query.consul.", dns.TypeA, "NXDOMAIN", nil},
		{"3.0.0.10.in-addr.arpa.", dns.TypePTR, "NOERROR", []string{"n3.node.dc1.consul."}},
		{"1.1.0.10.in-addr.arpa.", dns.TypePTR, "NOERROR", []string{"web-proxy.service.dc1.consul."}},
		{"9.9.0.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN", nil},
		{"consul.", dns.TypeNS, "NOERROR", []string{"dc1-1.node.dc1.consul."}},
		{"example.com.", dns.TypeA, "REFUSED", nil},
	} {
		t.Run(test.name+" "+dns.TypeToString[test.qtype], func(t *testing.T) {
			status, answers := lookUp(t, c.DNS("dc1"), test.name, test.qtype)
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.answers, answers)
		})
	}

	t.Run("another datacenter's agent", func(t *testing.T) {
		_, answers := lookUp(t, c.DNS("dc2"), "web.service.dc1.consul.", dns.TypeA)
		assert.Equal(t, []string{"10.0.0.1", "10.0.0.2"}, answers)
		status, _ := lookUp(t, c.DNS("dc2"), "web.service.consul.", dns.TypeA)
		assert.Equal(t, "NXDOMAIN", status)
	})
}

func TestDNSExecutesPreparedQueriesWithTheirFailover(t *testing.T) {
	t.Parallel()
	c, client := startDNS(t)
	id, _, err := client.PreparedQuery().Create(&api.PreparedQueryDefinition{
		Name: "front",
		Service: api.ServiceQuery{
			Service: "web", OnlyPassing: true, Failover: api.QueryFailoverOptions{Datacenters: []string{"nope", "dc2"}},
		},
		DNS: api.QueryDNSOptions{TTL: "7s"},
	}, nil)
	require.NoError(t, err)
	name := "front.query.consul."
	status, _ := lookUp(t, c.DNS("dc1"), name, dns.TypeA)
	assert.Equal(t, "NXDOMAIN", status, "no instance anywhere")

	there := aWeb(2, api.HealthPassing)
	there.Datacenter = "dc2"
	registerAll(t, client, there, aWeb(1, api.HealthWarning))
	_, answers := lookUp(t, c.DNS("dc1"), name, dns.TypeA)
	assert.Equal(t, []string{"10.0.0.2"}, answers, "none passes in dc1")
	_, answers = lookUp(t, c.DNS("dc1"), name, dns.TypeSRV)
	assert.Equal(t, []string{"1 10 8002 n2.node.dc2.consul."}, answers)

	registerAll(t, client, aWeb(1, api.HealthPassing))
	_, answers = lookUp(t, c.DNS("dc1"), name, dns.TypeA)
	assert.Equal(t, []string{"10.0.0.1"}, answers)
	_, answers = lookUp(t, c.DNS("dc1"), id+".query.consul.", dns.TypeA)
	assert.Equal(t, []string{"10.0.0.1"}, answers)
	_, answers = lookUp(t, c.DNS("dc2"), "front.query.dc1.consul.", dns.TypeA)
	assert.Equal(t, []string{"10.0.0.1"}, answers)

	answer, err := dns.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), c.DNS("dc1"))
	require.NoError(t, err)
	require.Len(t, answer.Answer, 1)
	assert.Equal(t, uint32(7), answer.Answer[0].Header().Ttl)
}

// What the anonymous token may not see is not there, and what is asked for
// through the mesh is refused.
func TestDNSWithAccessControl(t *testing.T) {
	t.Parallel()
	c := start(t, Options{
		ACL:         ACL{Enabled: true, InitialManagement: root},
		Datacenters: []Datacenter{{Name: "dc1", Agents: []Agent{{DNS: "127.0.0.1:0"}}}},
	})
	manager := as(t, c, root)
	web := aWeb(1, api.HealthPassing)
	web.Service.Address = "10.0.0.9"
	registerAll(t, manager, web, aWeb(2, api.HealthPassing), &api.CatalogRegistration{
		Node: "n1", Address: "10.0.0.1", Service: &api.AgentService{
			Kind: api.ServiceKindConnectProxy, Service: "web-proxy", Port: 21000,
			Proxy: &api.AgentServiceConnectProxyConfig{DestinationServiceName: "web"},
		},
	})
	_, _, err := manager.PreparedQuery().Create(&api.PreparedQueryDefinition{
		Name: "front", Service: api.ServiceQuery{Service: "web"},
	}, nil)
	require.NoError(t, err)

	type answer struct {
		status  string
		answers []string
	}
	said := func(name string, qtype uint16) answer {
		status, answers := lookUp(t, c.DNS("dc1"), name, qtype)
		return answer{status, answers}
	}
	missing, refused := answer{"NXDOMAIN", nil}, answer{"SERVFAIL", nil}
	assert.Equal(t, missing, said("web.service.consul.", dns.TypeA))
	assert.Equal(t, missing, said("n1.node.consul.", dns.TypeA))
	assert.Equal(t, missing, said("front.query.consul.", dns.TypeA))
	assert.Equal(t, missing, said("1.0.0.10.in-addr.arpa.", dns.TypePTR))
	assert.Equal(t, missing, said("9.0.0.10.in-addr.arpa.", dns.TypePTR))
	assert.Equal(t, refused, said("web.connect.consul.", dns.TypeA))
	assert.Equal(t, refused, said("web.ingress.consul.", dns.TypeA))
	assert.Equal(t, refused, said("web.virtual.consul.", dns.TypeA))

	policy, _, err := manager.ACL().PolicyCreate(&api.ACLPolicy{
		Name: "some", Rules: `node "n1" { policy = "read" } service "web" { policy = "read" }`,
	}, nil)
	require.NoError(t, err)
	const anonymous = "00000000-0000-0000-0000-000000000002"
	_, _, err = manager.ACL().TokenUpdate(&api.ACLToken{
		AccessorID: anonymous, Policies: []*api.ACLTokenPolicyLink{{ID: policy.ID}},
	}, nil)
	require.NoError(t, err)
	ok := func(answers ...string) answer { return answer{"NOERROR", answers} }
	assert.Equal(t, ok("10.0.0.9"), said("web.service.consul.", dns.TypeA))
	assert.Equal(t, ok("10.0.0.1"), said("n1.node.consul.", dns.TypeA))
	assert.Equal(t, missing, said("n2.node.consul.", dns.TypeA))
	assert.Equal(t, ok("10.0.0.9"), said("front.query.consul.", dns.TypeA))
	assert.Equal(t, ok("n1.node.dc1.consul."), said("1.0.0.10.in-addr.arpa.", dns.TypePTR))
	assert.Equal(t, ok("web.service.dc1.consul."), said("9.0.0.10.in-addr.arpa.", dns.TypePTR))
	assert.Equal(t, missing, said("web.connect.consul.", dns.TypeA), "the proxy is a service that may not be seen")
	assert.Equal(t, ok("240.0.0.1"), said("web.virtual.consul.", dns.TypeA))

	_, err = manager.Agent().UpdateDefaultACLToken(root, nil)
	require.NoError(t, err)
	assert.Equal(t, ok("10.0.0.2"), said("n2.node.consul.", dns.TypeA))
	none, _, err := manager.ACL().TokenCreate(&api.ACLToken{}, nil)
	require.NoError(t, err)
	_, err = manager.Agent().UpdateDNSToken(none.SecretID, nil)
	require.NoError(t, err)
	assert.Equal(t, missing, said("n2.node.consul.", dns.TypeA), "the agent has a token for DNS")
}

func TestDNSAddresses(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Datacenters: []Datacenter{{Name: "dc1", Agents: []Agent{
		{DNS: "127.0.0.1:0 127.0.0.1:0"}, {},
	}}, {Name: "dc2"}}})
	bound, err := netip.ParseAddrPort(c.DNS("dc1"))
	require.NoError(t, err)
	assert.NotZero(t, bound.Port())
	assert.Empty(t, c.DNS("dc2"), "it has none")
	assert.Empty(t, c.DNS("dc3"))

	_, err = Start(t.Context(), Options{Datacenters: []Datacenter{{Agents: []Agent{{DNS: c.DNS("dc1")}}}}})
	require.ErrorContains(t, err, "listen for DNS")
	require.NoError(t, c.Close())
	_, err = dns.Exchange(new(dns.Msg).SetQuestion("consul.", dns.TypeSOA), c.DNS("dc1"))
	assert.Error(t, err, "it answers nobody after Close")
}
