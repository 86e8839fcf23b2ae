package state

import (
	"fmt"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/store"
)

func proxyOf(service string) *api.AgentServiceConnectProxyConfig {
	return &api.AgentServiceConnectProxyConfig{DestinationServiceName: service}
}

// The indexes of what is asked about: which of them a change moves.
func TestAChangeMovesTheIndexesOfWhatItChanges(t *testing.T) {
	t.Parallel()
	web := Service{Node: "a", ID: "web", Service: "web"}
	proxy := Service{Node: "a", ID: "proxy", Service: "web-proxy", Kind: api.ServiceKindConnectProxy, Proxy: proxyOf("web")}
	other := Service{Node: "b", ID: "other", Service: "other"}
	indexes := func(s *Store) map[string]uint64 {
		v := s.View()
		return map[string]uint64{
			"web": v.ServiceIndex("web"), "connect web": v.ConnectIndex("WEB"),
			"other": v.ServiceIndex("other"), "none": v.ServiceIndex("none"),
			"node a": v.NodeIndex("a"), "node b": v.NodeIndex("b"), "node none": v.NodeIndex("none"),
		}
	}
	for name, test := range map[string]struct {
		change func(*Tx) error
		moves  []string
	}{
		"the same again": {func(tx *Tx) error { return tx.PutService(web) }, nil},
		"a check of a service": {
			func(tx *Tx) error { return tx.PutCheck(Check{Node: "a", CheckID: "c", ServiceID: "web"}) },
			[]string{"web"},
		},
		"a check of a node": {
			func(tx *Tx) error { return tx.PutCheck(Check{Node: "a", CheckID: "c"}) },
			[]string{"web", "connect web"},
		},
		"a node": {
			func(tx *Tx) error { return tx.PutNode(Node{Node: "a", Address: "10.0.0.9"}) },
			[]string{"web", "connect web", "node a"},
		},
		"an instance": {
			func(tx *Tx) error { return tx.PutService(Service{Node: "b", ID: "web2", Service: "web"}) },
			[]string{"web", "node b"},
		},
		"the last instance": {
			func(tx *Tx) error { tx.DeleteService("b", "other"); return nil },
			[]string{"other", "none", "node b"},
		},
		"a proxy, which is the last": {
			func(tx *Tx) error { tx.DeleteService("a", "proxy"); return nil },
			[]string{"connect web", "none", "node a"},
		},
		"a name": {
			func(tx *Tx) error { return tx.PutService(Service{Node: "b", ID: "other", Service: "web"}) },
			[]string{"web", "other", "none", "node b"},
		},
		"a node that goes": {
			func(tx *Tx) error { tx.DeleteNode("b"); return nil },
			[]string{"other", "none", "node b", "node none"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			putNode(t, s, Node{Node: "a"})
			putNode(t, s, Node{Node: "b"})
			for _, service := range []Service{web, proxy, other} {
				putService(t, s, service)
			}
			before := indexes(s)
			write(t, s, test.change)
			var moved []string
			for name, index := range indexes(s) {
				assert.GreaterOrEqual(t, index, before[name], name)
				if index != before[name] {
					moved = append(moved, name)
					assert.Equal(t, s.View().LastIndex(), index, name)
				}
			}
			assert.ElementsMatch(t, test.moves, moved)
		})
	}
}

func TestAServiceNeedsItsNode(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var none *NoNodeError
	require.ErrorAs(t, s.Write(func(tx *Tx) error { return tx.PutService(Service{Node: "a", ID: "x"}) }), &none)
	assert.Equal(t, "a", none.Node)
}

func TestAnInstanceIsCompleted(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{Node: "a"})
	putService(t, s, Service{Node: "A", ID: "web", Service: "web", Ports: api.ServicePorts{{Name: "x", Port: 1}, {Name: "y", Port: 2, Default: true}}})
	got := s.View().Service("a", "web")
	assert.Equal(t, "a", got.Node)
	assert.Equal(t, []string{}, got.Tags)
	assert.Equal(t, api.AgentWeights{Passing: 1, Warning: 1}, got.Weights)
	assert.Equal(t, 2, got.Port)
}

func TestACheckOfAnInstanceThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{Node: "a"})
	err := s.Write(func(tx *Tx) error { return tx.PutCheck(Check{Node: "a", CheckID: "c", ServiceID: "web"}) })
	var none *NoServiceError
	require.ErrorAs(t, err, &none)
	assert.EqualError(t, err, "Unknown service ID 'web' for check ID 'c'")
}

func TestVirtualIPs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{Node: "a"})
	native := &api.AgentServiceConnect{Native: true}
	putService(t, s, Service{Node: "a", ID: "proxy", Service: "p", Port: 7, Kind: api.ServiceKindConnectProxy, Proxy: proxyOf("web")})
	putService(t, s, Service{Node: "a", ID: "native", Service: "native", Connect: native})
	putService(t, s, Service{Node: "a", ID: "plain", Service: "plain"})
	putService(t, s, Service{Node: "a", ID: "web", Service: "web", Connect: native})

	address := func(id string) map[string]api.ServiceAddress { return s.View().Service("a", id).TaggedAddresses }
	assert.Equal(t, map[string]api.ServiceAddress{"consul-virtual": {Address: "240.0.0.1", Port: 7}}, address("proxy"))
	assert.Equal(t, "240.0.0.2", address("native")["consul-virtual"].Address)
	assert.Empty(t, address("plain"))
	assert.Equal(t, "240.0.0.1", address("web")["consul-virtual"].Address, "it is the service's, not the instance's")
}

func TestManualVirtualIPs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	write(t, s, func(tx *Tx) error {
		for i := range 300 { // more than a byte of numbers
			tx.AssignVirtualIP(fmt.Sprint("filler ", i))
		}
		assert.Equal(t, "240.0.1.45", tx.AssignVirtualIP("one").Address())
		tx.AssignVirtualIP("two")
		return nil
	})
	assign := func(service string, addresses ...string) (found bool, taken []string, err error) {
		err = s.Write(func(tx *Tx) error {
			var err error
			found, taken, err = tx.AssignManualIPs(service, addresses)
			return err
		})
		return found, taken, err
	}
	found, _, err := assign("none", "1.1.1.1")
	require.NoError(t, err)
	assert.False(t, found)
	found, taken, err := assign("one", "1.1.1.1", "2.2.2.2")
	require.NoError(t, err)
	assert.True(t, found)
	assert.Empty(t, taken)
	_, taken, err = assign("two", "2.2.2.2", "3.3.3.3")
	require.NoError(t, err)
	assert.Equal(t, []string{"one"}, taken)
	assert.Equal(t, []string{"1.1.1.1"}, store.First[VirtualIP](s.View(), TableVirtualIPs, "id", "one").Manual)
	_, _, err = assign("two", "nonsense")
	var not *NotAnAddressError
	assert.ErrorAs(t, err, &not)
}
