package dns

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Not in parallel: others would take the port in between.
func TestServerServesBothOnOnePort(t *testing.T) {
	s, err := Start(Options{Source: newCatalog()})
	require.NoError(t, err)
	address := s.Addr().String()
	for _, network := range []string{"udp", "tcp"} {
		assert.Len(t, exchange(t, network, address, question("web.service.consul", "A")).Answer, 2)
	}
	idle, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer idle.Close()
	require.NoError(t, s.Close(), "with a client that says nothing")
	require.NoError(t, s.Close(), "twice")

	again, err := Start(Options{Address: address, Source: newCatalog()})
	require.NoError(t, err, "the port is free again")
	require.NoError(t, again.Close())
}

// Not in parallel: others would take the port in between.
func TestStartReleasesWhatItTook(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	address := taken.LocalAddr().String()
	_, err = Start(Options{Address: address, Source: newCatalog()})
	var failed *net.OpError
	require.ErrorAs(t, err, &failed)
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err, "the TCP port is given back")
	listener.Close()
}

func TestMessagesThatAreNoQueries(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Source: newCatalog()})
	for name, c := range map[string]struct {
		request *dns.Msg
		rcode   int
	}{
		"no question":   {new(dns.Msg), dns.RcodeFormatError},
		"two questions": {&dns.Msg{Question: make([]dns.Question, 2)}, dns.RcodeFormatError},
		"update":        {new(dns.Msg).SetUpdate("consul."), dns.RcodeNotImplemented},
	} {
		for i := range c.request.Question {
			c.request.Question[i] = dns.Question{Name: "web.service.consul.", Qtype: dns.TypeA, Qclass: dns.ClassINET}
		}
		assert.Equal(t, c.rcode, exchange(t, "udp", address, c.request).Rcode, name)
	}
	transfer := exchange(t, "tcp", address, question("consul", "AXFR"))
	assert.Equal(t, dns.RcodeNotImplemented, transfer.Rcode)
}

func TestClassDoesNotMatter(t *testing.T) {
	t.Parallel()
	request := question("web.service.consul", "A")
	request.Question[0].Qclass = dns.ClassCHAOS
	got := exchange(t, "udp", serve(t, Options{Source: newCatalog()}), request)
	require.Len(t, got.Answer, 2)
	assert.Equal(t, uint16(dns.ClassINET), got.Answer[0].Header().Class)
}

func BenchmarkServiceOverUDP(b *testing.B) {
	s, err := Start(Options{Source: newCatalog()})
	require.NoError(b, err)
	defer s.Close()
	client := dns.Client{Timeout: time.Second}
	conn, err := client.Dial(s.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	for b.Loop() {
		if _, _, err := client.ExchangeWithConn(question("web.service.consul", "SRV"), conn); err != nil {
			b.Fatal(err)
		}
	}
}
