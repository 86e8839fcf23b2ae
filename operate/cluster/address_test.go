package cluster

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheNetworkIsOneThatNoRouteLeadsTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		routes []string
		want   string
	}{
		"nothing in the way":         {[]string{"10.1.0.0/16"}, "198.51.100.0/24"},
		"the default route is none":  {[]string{"0.0.0.0/0"}, "198.51.100.0/24"},
		"a route of the same":        {[]string{"198.51.100.0/24"}, "203.0.113.0/24"},
		"one address of it":          {[]string{"198.51.100.77/32"}, "203.0.113.0/24"},
		"a wider route":              {[]string{"198.51.0.0/16", "203.0.113.128/25"}, "192.0.2.0/24"},
		"all that are documentation": {[]string{"198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"}, "10.213.113.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network, err := chooseNetwork(prefixes(c.routes...))
			require.NoError(t, err)
			assert.Equal(t, c.want, network.String())
		})
	}
}

func TestAMachineWithRoutesEverywhereHasNoNetworkForZones(t *testing.T) {
	t.Parallel()
	_, err := chooseNetwork(prefixes("0.0.0.0/1", "128.0.0.0/1"))
	require.ErrorContains(t, err, "choose a network for the zones")
	require.ErrorContains(t, err, "198.51.100.0/24")
}

func TestAddressesAreCountedFromTheNetwork(t *testing.T) {
	t.Parallel()
	network := netip.MustParsePrefix("203.0.113.0/24")
	assert.Equal(t, "203.0.113.1", addressIn(network, machineHost).String())
	assert.Equal(t, "203.0.113.13", addressIn(network, firstZoneHost+2).String())
}

func TestRoutesAreReadAsTheProgramIPListsThem(t *testing.T) {
	t.Parallel()
	routes, err := parseRoutes([]byte(`[
		{"dst":"default","gateway":"10.0.0.1","dev":"eth0","flags":[]},
		{"dst":"10.0.0.0/24","dev":"eth0","protocol":"kernel","scope":"link","flags":[]},
		{"type":"local","dst":"10.0.0.2","dev":"eth0","table":"local","flags":[]}]`))
	require.NoError(t, err)
	assert.Equal(t, prefixes("10.0.0.0/24", "10.0.0.2/32"), routes)

	_, err = parseRoutes([]byte(`[{"dst":"nowhere"}]`))
	require.ErrorContains(t, err, "read the machine's routes")
	_, err = parseRoutes([]byte(`Object "route" is unknown`))
	require.ErrorContains(t, err, "read the machine's routes")
}

func prefixes(of ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, prefix := range of {
		all = append(all, netip.MustParsePrefix(prefix))
	}
	return all
}
