package dns

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
)

const (
	soaLine    = "consul. 0 IN SOA ns.consul. hostmaster.consul. 0 3600 600 86400 0"
	nsLine     = "consul. 0 IN NS server.node.dc1.consul."
	serverLine = "server.node.dc1.consul. 0 IN A 127.0.0.1"
)

// section are records as text.
type section []string

// What the running agent answered.
func TestAnswers(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Source: newCatalog()})
	noData := section{soaLine}
	for _, c := range []struct {
		name, rrtype             string
		rcode                    int
		answer, authority, extra section
	}{
		{"web.service.consul", "A", 0, section{"web.service.consul. 0 IN A 10.0.0.1", "web.service.consul. 0 IN A 10.9.9.2"}, nil, nil},
		{"web.service.consul", "ANY", 0, section{"web.service.consul. 0 IN A 10.0.0.1", "web.service.consul. 0 IN A 10.9.9.2"}, nil, nil},
		{"web.service.consul", "TXT", 0, section{"web.service.consul. 0 IN A 10.0.0.1", "web.service.consul. 0 IN A 10.9.9.2"}, nil, nil},
		{"web.service.consul", "AAAA", 0, nil, noData, nil},
		{"web.service.consul", "MX", 0, nil, noData, nil},
		{"web.service.consul", "CNAME", 0, nil, noData, nil},
		{"WEB.Service.CONSUL", "A", 0, section{"WEB.Service.CONSUL. 0 IN A 10.0.0.1", "WEB.Service.CONSUL. 0 IN A 10.9.9.2"}, nil, nil},
		{"V1.web.service.consul", "A", 0, section{"V1.web.service.consul. 0 IN A 10.0.0.1"}, nil, nil},
		{"v1.web.service.consul", "SRV", 0, section{"v1.web.service.consul. 0 IN SRV 1 5 8080 n1.node.dc1.consul."}, nil,
			section{"n1.node.dc1.consul. 0 IN A 10.0.0.1", `n1.node.dc1.consul. 0 IN TXT "rack=r1"`, `n1.node.dc1.consul. 0 IN TXT "raw text"`}},
		{"v2.web.service.dc1.dc.consul", "SRV", 0, section{"v2.web.service.dc1.dc.consul. 0 IN SRV 1 2 8081 0a090902.addr.dc1.consul."}, nil,
			section{"0a090902.addr.dc1.consul. 0 IN A 10.9.9.2"}},
		{"a.b.bad_name.service.consul", "A", 0, section{"a.b.bad_name.service.consul. 0 IN A 10.0.0.10"}, nil, nil},
		{"nope.web.service.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"nosuch.service.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"web.service.nodc.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"web.service.dc.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"web.service.default.ns.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"_web._v1.service.consul", "A", 0, section{"_web._v1.service.consul. 0 IN A 10.0.0.1"}, nil, nil},
		{"_dup._tcp.service.dc1.consul", "SRV", 0, section{"_dup._tcp.service.dc1.consul. 0 IN SRV 1 1 7 n10.node.dc1.consul.", "_dup._tcp.service.dc1.consul. 0 IN SRV 1 1 8 n10.node.dc1.consul."}, nil,
			section{"n10.node.dc1.consul. 0 IN A 10.0.0.10", "n10.node.dc1.consul. 0 IN A 10.0.0.10"}},
		{"_heavy._tcp.dc1.consul", "SRV", 0, section{"_heavy._tcp.dc1.consul. 0 IN SRV 1 1 1 n10.node.dc1.consul."}, nil, section{"n10.node.dc1.consul. 0 IN A 10.0.0.10"}},
		{"_web._tcp.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"_web._udp.service.consul", "SRV", dns.RcodeNameError, nil, noData, nil},
		{"_._tcp.service.consul", "SRV", dns.RcodeNameError, nil, noData, nil},
		{"dup.service.consul", "A", 0, section{"dup.service.consul. 0 IN A 10.0.0.10"}, nil, nil},
		{"v6.service.consul", "A", 0, nil, noData, nil},
		{"v6.service.consul", "AAAA", 0, section{"v6.service.consul. 0 IN AAAA 2001:db8::6"}, nil, nil},
		{"both.service.consul", "SRV", 0, section{"both.service.consul. 0 IN SRV 1 1 66 20010db8000000000000000000000001.addr.dc1.consul.", "both.service.consul. 0 IN SRV 1 1 67 n2.node.dc1.consul."}, nil,
			section{"20010db8000000000000000000000001.addr.dc1.consul. 0 IN AAAA 2001:db8::1", `n1.node.dc1.consul. 0 IN TXT "rack=r1"`, `n1.node.dc1.consul. 0 IN TXT "raw text"`, "n2.node.dc1.consul. 0 IN A 10.0.0.2"}},
		{"toolong.service.consul", "SRV", dns.RcodeServerFailure, nil, nil, nil},

		{"cn.service.consul", "MX", 0, section{"cn.service.consul. 0 IN CNAME db.example.com."}, nil, nil},
		{"cn.service.consul", "SRV", 0, section{"cn.service.consul. 0 IN SRV 1 1 1 db.example.com."}, nil, nil},
		{"cn3.service.consul", "A", 0, section{"cn3.service.consul. 0 IN CNAME n1.node.consul.", "n1.node.consul. 0 IN A 10.0.0.1"}, nil, nil},
		{"cn3.service.consul", "SRV", 0, section{"cn3.service.consul. 0 IN SRV 1 1 1 n1.node.consul."}, nil, section{"n1.node.consul. 0 IN A 10.0.0.1"}},
		{"cn4.service.consul", "AAAA", 0, section{"cn4.service.consul. 0 IN CNAME web.service.consul.", "web.service.consul. 0 IN A 10.0.0.1", "web.service.consul. 0 IN A 10.9.9.2"}, nil, nil},
		{"cn5.service.consul", "A", 0, section{"cn5.service.consul. 0 IN CNAME nosuch.node.consul."}, nil, nil},

		{"x.web.connect.dc1.consul", "SRV", 0, section{"x.web.connect.dc1.consul. 0 IN SRV 1 1 20000 n10.node.dc1.consul."}, nil, section{"n10.node.dc1.consul. 0 IN A 10.0.0.10"}},
		{"web.ingress.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"x.web.virtual.consul", "A", 0, section{"x.web.virtual.consul. 0 IN A 240.0.0.4"}, nil, nil},
		{"web.virtual.consul", "SRV", 0, nil, nil, section{"web.virtual.consul. 0 IN A 240.0.0.4"}},
		{"web.virtual.dc1.consul", "A", 0, nil, nil, nil},
		{"nosuch.virtual.consul", "A", 0, nil, nil, nil},

		{"n1.node.consul", "A", 0, section{"n1.node.consul. 0 IN A 10.0.0.1"}, nil, section{`n1.node.consul. 0 IN TXT "rack=r1"`, `n1.node.consul. 0 IN TXT "raw text"`}},
		{"n1.node.dc1.consul", "ANY", 0, section{"n1.node.dc1.consul. 0 IN A 10.0.0.1", `n1.node.dc1.consul. 0 IN TXT "rack=r1"`, `n1.node.dc1.consul. 0 IN TXT "raw text"`}, nil, nil},
		{"n1.node.consul", "TXT", 0, section{`n1.node.consul. 0 IN TXT "rack=r1"`, `n1.node.consul. 0 IN TXT "raw text"`}, nil, nil},
		{"n1.node.consul", "AAAA", 0, nil, nil, section{`n1.node.consul. 0 IN TXT "rack=r1"`, `n1.node.consul. 0 IN TXT "raw text"`}},
		{"n1.node.consul", "SRV", 0, nil, nil, nil},
		{"n4.node.consul", "AAAA", 0, section{"n4.node.consul. 0 IN CNAME db.example.com."}, nil, nil},
		{"n4.node.consul", "CNAME", 0, nil, nil, nil},
		{"n9.node.consul", "A", 0, section{"n9.node.consul. 0 IN CNAME n1.node.consul.", "n1.node.consul. 0 IN A 10.0.0.1", `n1.node.consul. 0 IN TXT "rack=r1"`, `n1.node.consul. 0 IN TXT "raw text"`}, nil, nil},
		{"bad_node.x.node.consul", "A", 0, section{"bad_node.x.node.consul. 0 IN A 10.0.0.17"}, nil, nil},
		{"nosuch.node.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"nosuch.node.consul", "SRV", 0, nil, nil, nil},
		{"n1.node.nodc.consul", "A", dns.RcodeNameError, nil, noData, nil},

		{"MYQ.query.nodc.consul", "A", 0, section{"MYQ.query.nodc.consul. 10 IN A 10.0.0.1", "MYQ.query.nodc.consul. 10 IN A 10.9.9.2"}, nil, nil},
		{"_q.dot._tcp.query.consul", "SRV", dns.RcodeNameError, nil, noData, nil},
		{"q.dot.query.consul", "A", 0, section{"q.dot.query.consul. 0 IN A 10.0.0.1"}, nil, nil},
		{"_myq._tcp.query.consul", "AAAA", 0, nil, noData, nil},
		{"none.query.consul", "A", dns.RcodeNameError, nil, noData, nil},

		{"0A000001.addr.nodc.dc.consul", "A", 0, section{"0a000001.addr.nodc.dc.consul. 0 IN A 10.0.0.1"}, nil, nil},
		{"0a000001.addr.consul", "SRV", 0, nil, nil, section{"0a000001.addr.consul. 0 IN A 10.0.0.1"}},
		{"20010db8000000000000000000000001.addr.dc1.consul", "AAAA", 0, section{"20010db8000000000000000000000001.addr.dc1.consul. 0 IN AAAA 2001:db8::1"}, nil, nil},
		{"zz.addr.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"0a0001.addr.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"x.0a000001.addr.consul", "A", dns.RcodeNameError, nil, noData, nil},

		{"1.0.0.10.IN-ADDR.ARPA", "PTR", 0, section{"1.0.0.10.IN-ADDR.ARPA. 0 IN PTR n1.node.dc1.consul."}, nil, nil},
		{"2.9.9.10.in-addr.arpa", "A", 0, section{"2.9.9.10.in-addr.arpa. 0 IN PTR web.service.dc1.consul."}, nil, nil},
		{"6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "PTR", 0, section{"6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 0 IN PTR n6.node.dc1.consul."}, nil, nil},
		{"8.8.8.8.in-addr.arpa", "PTR", dns.RcodeNameError, nil, noData, nil},
		{"x.in-addr.arpa", "PTR", dns.RcodeNameError, nil, noData, nil},
		{"ip6.arpa", "PTR", dns.RcodeNameError, nil, noData, nil},

		{"consul", "SOA", 0, section{soaLine}, section{nsLine}, section{serverLine}},
		{"nosuch.service.consul", "SOA", 0, section{soaLine}, section{nsLine}, section{serverLine}},
		{"consul", "NS", 0, section{nsLine}, nil, section{serverLine}},
		{"consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"service.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"web.foo.consul", "A", dns.RcodeNameError, nil, noData, nil},
		{"consul.example.com", "A", dns.RcodeRefused, nil, nil, nil},
		{".", "NS", dns.RcodeRefused, nil, nil, nil},
	} {
		t.Run(c.name+" "+c.rrtype, func(t *testing.T) {
			request := question(c.name, c.rrtype)
			request.SetEdns0(4096, false)
			got := exchange(t, "udp", address, request)
			assert.Equal(t, dns.RcodeToString[c.rcode], dns.RcodeToString[got.Rcode])
			assert.ElementsMatch(t, c.answer, lines(got.Answer))
			assert.ElementsMatch(t, c.authority, lines(got.Ns))
			assert.ElementsMatch(t, c.extra, lines(got.Extra))
			assert.False(t, got.RecursionAvailable)
			assert.True(t, got.RecursionDesired)
			failed := c.rcode == dns.RcodeRefused || c.name == "toolong.service.consul"
			assert.Equal(t, !failed, got.Authoritative)
			assert.Equal(t, !failed, got.IsEdns0() != nil)
		})
	}
}

func TestAliasesThatLoopEnd(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Source: newCatalog()})
	got := exchange(t, "tcp", address, question("loop.node.consul", "A"))
	assert.Len(t, got.Answer, 1+chaseDepth)
}

func TestAnswersAreShuffled(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Source: newCatalog()})
	firsts := map[string]bool{}
	for range 50 {
		firsts[lines(exchange(t, "udp", address, question("web.service.consul", "A")).Answer)[0]] = true
	}
	assert.Len(t, firsts, 2)
}

func TestFailureOfTheSource(t *testing.T) {
	t.Parallel()
	source := newCatalog()
	source.failure = errors.New("no leader")
	address := serve(t, Options{Source: source, Logger: slog.New(slog.DiscardHandler)})
	for _, name := range []string{"web.service.consul", "web.virtual.consul"} {
		got := exchange(t, "udp", address, question(name, "A"))
		assert.Equal(t, dns.RcodeServerFailure, got.Rcode, name)
		assert.Empty(t, got.Answer, name)
	}
}
