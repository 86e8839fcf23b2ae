package dns

import (
	"net"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientSubnet(t *testing.T) {
	t.Parallel()
	source := newCatalog()
	address := serve(t, Options{Source: source})
	request := question("myq.query.consul", "A")
	exchange(t, "udp", address, request)
	assert.Equal(t, "127.0.0.1", (<-source.clients).String())

	request.SetEdns0(1232, false)
	opt := request.IsEdns0()
	opt.Option = append(opt.Option, &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: 24, Address: net.IPv4(1, 2, 3, 0)})
	got := exchange(t, "udp", address, request)
	assert.Equal(t, "1.2.3.0", (<-source.clients).String())
	require.NotNil(t, got.IsEdns0())
	require.Len(t, got.IsEdns0().Option, 1)
	assert.Equal(t, "1.2.3.0/24/0", got.IsEdns0().Option[0].String())
}
