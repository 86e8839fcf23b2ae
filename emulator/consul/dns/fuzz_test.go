package dns

import (
	"log/slog"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// check has a handler answer a request, and looks at what every answer must be like.
func check(t *testing.T, request *dns.Msg, network string) {
	t.Helper()
	w := &writer{network: network}
	(&handler{source: newCatalog(), truncate: true, log: slog.New(slog.DiscardHandler)}).ServeDNS(w, request)
	if len(w.answers) == 0 {
		_, err := request.Pack()
		require.Error(t, err, "only a question that cannot be written is not answered")
		return
	}
	m := w.answers[0]
	assert.Equal(t, request.Id, m.Id)
	assert.True(t, m.Response)
	assert.Equal(t, request.Question[0], m.Question[0])
	if len(m.Answer) > 1 {
		packed, err := m.Pack()
		require.NoError(t, err)
		assert.LessOrEqual(t, len(packed), sizeLimit(request, network == "tcp"))
	}
	if m.Rcode == dns.RcodeNameError {
		assert.Empty(t, m.Answer)
		assert.Len(t, m.Ns, 1)
	}
}

func FuzzMessage(f *testing.F) {
	for _, name := range []string{"web.service.consul", "n1.node.consul", "1.0.0.10.in-addr.arpa", "myq.query.consul"} {
		request := question(name, "SRV")
		request.SetEdns0(600, true)
		packed, err := request.Pack()
		require.NoError(f, err)
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		request := new(dns.Msg)
		if request.Unpack(packed) != nil || len(request.Question) != 1 {
			return
		}
		check(t, request, "udp")
	})
}

func FuzzName(f *testing.F) {
	for _, name := range []string{
		"web.service.consul", "_web._tcp.dc1.consul", "x._a._b.service.dc1.dc.consul", `a\.b\000.service.consul`, "0a000001.addr.consul",
		"_._.consul", "..consul", "consul", "huge.service.consul", "cn4.service.consul", "1.0.0.10.in-addr.arpa", "ip6.arpa", "dc.dc.dc.consul",
	} {
		for _, rrtype := range []uint16{dns.TypeA, dns.TypeSRV, dns.TypeANY} {
			f.Add(name, rrtype)
		}
	}
	f.Fuzz(func(t *testing.T, name string, rrtype uint16) {
		if _, ok := dns.IsDomainName(name); !ok {
			return
		}
		check(t, new(dns.Msg).SetQuestion(dns.Fqdn(name), rrtype), "tcp")
	})
}
