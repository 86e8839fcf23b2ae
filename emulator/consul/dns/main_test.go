package dns

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// catalog is a source with what the running agent had registered when it gave the answers that the tests expect.
type catalog struct {
	services map[string][]Instance
	proxies  map[string][]Instance
	nodes    map[string]Node
	queries  map[string]PreparedResult
	clients  chan netip.Addr // of prepared queries
	failure  error
}

func newCatalog() *catalog {
	node := func(name, address string, meta ...string) Node {
		n := Node{Name: name, Datacenter: "dc1", Address: address, Meta: map[string]string{}}
		for i := 0; i < len(meta); i += 2 {
			n.Meta[meta[i]] = meta[i+1]
		}
		return n
	}
	n1 := node("n1", "10.0.0.1", "rack", "r1", "rfc1035-k", "raw text")
	n2 := node("n2", "10.0.0.2")
	n4 := node("n4", "db.example.com")
	n6 := node("n6", "2001:db8::6", "a", "b")
	n9 := node("n9", "n1.node.consul")
	n10 := node("n10", "10.0.0.10")
	loop := node("loop", "loop.node.consul")
	web := []Instance{{Node: n1, Port: 8080, Weight: 5}, {Node: n2, Address: "10.9.9.2", Port: 8081, Weight: 2}}
	c := &catalog{
		clients: make(chan netip.Addr, 1),
		services: map[string][]Instance{
			"web":      web,
			"both":     {{Node: n1, Address: "2001:db8::1", Port: 66}, {Node: n2, Port: 67}},
			"v6":       {{Node: n6, Port: 66}},
			"cn":       {{Node: n4, Port: 1}},
			"cn3":      {{Node: n9, Port: 1}},
			"cn4":      {{Node: n10, Address: "web.service.consul", Port: 1}},
			"cn5":      {{Node: n10, Address: "nosuch.node.consul", Port: 1}},
			"dup":      {{Node: n10, Port: 7}, {Node: n10, Port: 8}},
			"heavy":    {{Node: n10, Port: 1, Weight: 70000}},
			"toolong":  {{Node: node(strings.Repeat("x", 64), "10.0.0.1"), Port: 1}},
			"bad_name": {{Node: n10, Port: 3}},
			"many":     instances(20), "huge": instances(400), "tera": instances(3600),
		},
		proxies: map[string][]Instance{"web": {{Node: n10, Port: 20000}}},
		nodes:   map[string]Node{"bad_node.x": node("bad_node.x", "10.0.0.17"), "server": node("server", "127.0.0.1")},
		queries: map[string]PreparedResult{"myq": {web, 10 * time.Second}, "q.dot": {Instances: web[:1]}, "none": {}},
	}
	for _, n := range []Node{n1, n2, n4, n6, n9, n10, loop} {
		c.nodes[n.Name] = n
	}
	return c
}

// instances are so many, each on a node of its own with metadata.
func instances(count int) []Instance {
	all := make([]Instance, count)
	for i := range all {
		address := netip.AddrFrom4([4]byte{10, 2, byte(i / 200), byte(i%200 + 1)}).String()
		all[i] = Instance{Node: Node{Name: "node-" + address, Datacenter: "dc1", Address: address, Meta: map[string]string{"k": "v"}}, Port: 100 + i}
	}
	return all
}

func (c *catalog) Service(q ServiceQuery) ([]Instance, error) {
	switch {
	case c.failure != nil:
		return nil, c.failure
	case q.Datacenter != "" && q.Datacenter != "dc1":
		return nil, ErrNotFound
	case q.Connect:
		return c.proxies[q.Name], nil
	case q.Ingress:
		return nil, nil
	}
	tags := map[string]int{"v1": 8080, "v2": 8081, "a.b": 3}
	found := slices.Clone(c.services[q.Name])
	return slices.DeleteFunc(found, func(i Instance) bool { return q.Tag != "" && tags[q.Tag] != i.Port }), nil
}

func (c *catalog) Node(datacenter, name string) (Node, error) {
	n, ok := c.nodes[name]
	if !ok || datacenter != "" && datacenter != "dc1" {
		return Node{}, ErrNotFound
	}
	return n, nil
}

func (c *catalog) PreparedQuery(_, name string, client netip.Addr) (PreparedResult, error) {
	found, ok := c.queries[name]
	if !ok {
		return PreparedResult{}, ErrNotFound
	}
	select {
	case c.clients <- client:
	default:
	}
	return found, nil
}

func (c *catalog) Virtual(service string) (netip.Addr, error) {
	switch {
	case c.failure != nil:
		return netip.Addr{}, c.failure
	case service != "web":
		return netip.Addr{}, ErrNotFound
	}
	return netip.AddrFrom4([4]byte{240, 0, 0, 4}), nil
}

func (c *catalog) Reverse(address netip.Addr) (Owner, bool) {
	switch address.String() {
	case "10.0.0.1":
		return Owner{Node: "n1", Datacenter: "dc1"}, true
	case "10.9.9.2":
		return Owner{Service: "web", Datacenter: "dc1"}, true
	case "2001:db8::6":
		return Owner{Node: "n6", Datacenter: "dc1"}, true
	}
	return Owner{}, false
}

func (c *catalog) Servers() []Node { return []Node{c.nodes["server"]} }

// serve serves a source until the test ends.
func serve(t *testing.T, o Options) (address string) {
	t.Helper()
	s, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s.Addr().String()
}

// exchange sends a request and returns the answer.
func exchange(t *testing.T, network, address string, request *dns.Msg) *dns.Msg {
	t.Helper()
	client := dns.Client{Net: network, Timeout: 30 * time.Second, UDPSize: dns.MaxMsgSize}
	answer, _, err := client.Exchange(request, address)
	require.NoError(t, err)
	return answer
}

// question asks for a name and a type.
func question(name, rrtype string) *dns.Msg {
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.StringToType[rrtype])
}

// lines are records as text, with the fields apart by one space and the serial of an SOA left out.
func lines(records []dns.RR) []string {
	var all []string
	for _, record := range records {
		if soa, ok := record.(*dns.SOA); ok {
			soa.Serial = 0
		}
		if record.Header().Rrtype != dns.TypeOPT {
			all = append(all, strings.Join(strings.Fields(record.String()), " "))
		}
	}
	return all
}

// writer takes what a handler writes.
type writer struct {
	network string
	answers []*dns.Msg
	dns.ResponseWriter
}

func (w *writer) LocalAddr() net.Addr {
	if w.network == "tcp" {
		return &net.TCPAddr{}
	}
	return &net.UDPAddr{}
}

func (w *writer) RemoteAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(10, 5, 5, 5), Port: 1} }

func (w *writer) WriteMsg(m *dns.Msg) error {
	if _, err := m.Pack(); err != nil {
		return err
	}
	w.answers = append(w.answers, m)
	return nil
}
