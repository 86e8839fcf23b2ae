package dns

import (
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
)

// The numbers are those of the running agent, where its names are as long.
func TestSizes(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Source: newCatalog(), Truncate: true})
	for _, c := range []struct {
		network, name, rrtype string
		size                  uint16 // of EDNS; 0 for none
		answers, extra        int    // without OPT
		truncated, opt        bool
	}{
		{"udp", "many", "A", 0, 3, 0, true, false},
		{"udp", "many", "SRV", 0, 3, 3, true, false},
		{"udp", "many", "ANY", 0, 3, 0, true, false},
		{"udp", "many", "A", 512, 3, 0, true, false},
		{"udp", "many", "A", 100, 3, 0, true, false},
		{"udp", "many", "A", 1232, 20, 0, false, true},
		{"udp", "many", "SRV", 4096, 20, 40, false, true},
		{"udp", "huge", "A", 513, 29, 0, true, false},
		{"udp", "huge", "A", 600, 34, 0, true, false},
		{"udp", "huge", "A", 1232, 74, 0, true, false},
		{"udp", "huge", "A", 4096, 253, 0, true, false},
		{"udp", "huge", "A", 8192, 400, 0, false, true},
		{"udp", "huge", "A", 65535, 400, 0, false, true},
		{"udp", "web", "A", 0, 2, 0, false, false},
		{"tcp", "many", "SRV", 0, 20, 40, false, false},
		{"tcp", "huge", "A", 0, 400, 0, false, false},
		{"tcp", "huge", "SRV", 1232, 400, 800, false, true},
		{"tcp", "tera", "A", 0, 3600, 0, false, false},
	} {
		request := question(c.name+".service.consul", c.rrtype)
		if c.size > 0 {
			request.SetEdns0(c.size, false)
		}
		got := exchange(t, c.network, address, request)
		hasOPT := got.IsEdns0() != nil
		assert.Equal(t, c.answers, len(got.Answer), c)
		assert.Equal(t, c.extra, len(lines(got.Extra)), c)
		assert.Equal(t, c.truncated, got.Truncated, c)
		assert.Equal(t, c.opt, hasOPT, c)
		if hasOPT {
			assert.Equal(t, c.size, got.IsEdns0().UDPSize(), c)
		}
	}
}

func TestWhatDoesNotFitIntoTCP(t *testing.T) {
	t.Parallel()
	got := exchange(t, "tcp", serve(t, Options{Source: newCatalog(), Truncate: true}), question("tera.service.consul", "SRV"))
	assert.True(t, got.Truncated)
	assert.Greater(t, len(got.Answer), 500)
	assert.Len(t, got.Extra, len(got.Answer))
}

func TestTruncationIsUnmarkedByDefault(t *testing.T) {
	t.Parallel()
	got := exchange(t, "udp", serve(t, Options{Source: newCatalog()}), question("many.service.consul", "A"))
	assert.Len(t, got.Answer, 3)
	assert.False(t, got.Truncated)
}

// A cut answer has for each of its records the address that it points to.
func TestCutSRVKeepsItsAddresses(t *testing.T) {
	t.Parallel()
	request := question("huge.service.consul", "SRV")
	request.SetEdns0(1232, false)
	got := exchange(t, "udp", serve(t, Options{Source: newCatalog()}), request)
	got.Compress = true
	assert.LessOrEqual(t, got.Len(), 1232)
	for i, answer := range got.Answer {
		assert.Equal(t, answer.(*dns.SRV).Target, got.Extra[i].Header().Name)
		assert.Equal(t, dns.TypeA, got.Extra[i].Header().Rrtype)
	}
}
