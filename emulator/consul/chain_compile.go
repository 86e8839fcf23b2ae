package consul

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// defaultConnectTimeout is how long a proxy waits for a connection unless a resolver says otherwise.
const defaultConnectTimeout = 5 * time.Second

// compiler works out one chain. It reads entries as they are needed.
type compiler struct {
	view        *state.View
	trustDomain string
	overrides   chainOverrides
	chain       *chain
	custom      bool     // the chain has a protocol that routes and splits need
	path        []string // splitters on the way here, to find circles
}

// compile works out the chain of a service, seen from a datacenter.
func (d *datacenter) compile(view *state.View, service, datacenter string, o chainOverrides) (*chain, error) {
	c := &compiler{view: view, trustDomain: d.trustDomain(), overrides: o, chain: &chain{
		ServiceName: service, Namespace: "default", Partition: "default", Datacenter: datacenter,
		Nodes: map[string]*chainNode{}, Targets: map[string]*chainTarget{},
	}}
	if o != (chainOverrides{}) {
		c.chain.CustomizationHash = o.hash()
	}
	defaults, protocol, err := c.defaults(service)
	if err != nil {
		return nil, err
	}
	if defaults != nil {
		c.chain.ServiceMeta = defaults.Meta
	}
	c.chain.Protocol = protocol
	if o.OverrideProtocol != "" {
		c.chain.Protocol = o.OverrideProtocol
	}
	if c.chain.StartNode, err = c.start(service); err != nil {
		return nil, err
	}
	if c.custom && !perRequest(protocol) {
		return nil, fmt.Errorf("discovery chain %q uses a protocol %q that does not permit advanced routing or splitting behavior", service, protocol)
	}
	c.chain.prune()
	first := c.chain.Nodes[c.chain.StartNode]
	c.chain.Default = first.Resolver != nil && first.Resolver.Default && first.Name == c.target(service, "", datacenter, "").ID
	return c.chain, nil
}

func (o chainOverrides) hash() string {
	text, _ := json.Marshal(o) // it is plain data
	sum := fnv.New32a()
	sum.Write(text)
	return fmt.Sprintf("%08x", sum.Sum32())
}

// defaults are a service's own entry, nil without one, and its protocol.
func (c *compiler) defaults(service string) (*api.ServiceConfigEntry, string, error) {
	entry, protocol, err := c.view.ServiceDefaults(service)
	if err == nil && c.chain.Protocol != "" && protocol != c.chain.Protocol && c.overrides.OverrideProtocol == "" {
		err = fmt.Errorf("discovery chain %q uses inconsistent protocols; service %q has %q which is not %q",
			c.chain.ServiceName, service, protocol, c.chain.Protocol)
	}
	return entry, protocol, err
}

// start is the node that requests to the service come to first.
func (c *compiler) start(service string) (string, error) {
	router, err := state.Config[api.ServiceRouterConfigEntry](c.view, api.ServiceRouter, service)
	if err != nil {
		return "", err
	}
	if router == nil || c.cannotRoute() {
		return c.split(service, "")
	}
	c.custom = true
	name := service + ".default.default"
	node := &chainNode{Type: api.DiscoveryGraphNodeTypeRouter, Name: name}
	c.chain.Nodes["router:"+name] = node
	rest := api.ServiceRoute{ // what no route matches
		Match:       &api.ServiceRouteMatch{HTTP: &api.ServiceRouteHTTPMatch{PathPrefix: "/"}},
		Destination: &api.ServiceRouteDestination{Service: service, Namespace: "default", Partition: "default"},
	}
	for _, route := range append(router.Routes, rest) {
		to, subset := service, ""
		if d := route.Destination; d != nil {
			subset = d.ServiceSubset
			if d.Service != "" {
				to = d.Service
			}
		}
		next, err := c.split(to, subset)
		if err != nil {
			return "", err
		}
		node.Routes = append(node.Routes, &chainRoute{Definition: &route, NextNode: next})
	}
	return "router:" + name, nil
}

// cannotRoute tells whether an override takes routes and splits away.
func (c *compiler) cannotRoute() bool {
	return c.overrides.OverrideProtocol != "" && !perRequest(c.overrides.OverrideProtocol)
}

// split is the splitter of a service, or what comes after where it has none.
func (c *compiler) split(service, subset string) (string, error) {
	splitter, err := state.Config[api.ServiceSplitterConfigEntry](c.view, api.ServiceSplitter, service)
	if err != nil {
		return "", err
	}
	if subset != "" || splitter == nil || c.cannotRoute() {
		return c.resolve(service, subset, c.chain.Datacenter, "", nil)
	}
	c.custom = true
	name := service + ".default.default"
	id := "splitter:" + name
	if c.chain.Nodes[id] != nil && !slices.Contains(c.path, id) {
		return id, nil
	}
	c.path = append(c.path, id)
	defer func() { c.path = c.path[:len(c.path)-1] }()
	if i := slices.Index(c.path, id); i < len(c.path)-1 {
		return "", fmt.Errorf("detected circular reference: [%s]", strings.Join(c.path[i:], " -> "))
	}
	if _, _, err := c.defaults(service); err != nil {
		return "", err
	}
	node := &chainNode{Type: api.DiscoveryGraphNodeTypeSplitter, Name: name}
	c.chain.Nodes[id] = node
	for _, part := range splitter.Splits {
		if err := c.addSplit(node, service, part); err != nil {
			return "", err
		}
	}
	return id, nil
}

// addSplit adds one part of a splitter. The parts of a splitter that it leads
// to take its place, as proxies split once.
func (c *compiler) addSplit(node *chainNode, service string, part api.ServiceSplit) error {
	var next string
	var err error
	if part.Service == "" || part.Service == service {
		next, err = c.resolve(service, part.ServiceSubset, c.chain.Datacenter, "", nil)
	} else {
		next, err = c.split(part.Service, part.ServiceSubset)
	}
	if err != nil {
		return err
	}
	inner := c.chain.Nodes[next]
	if inner.Type != api.DiscoveryGraphNodeTypeSplitter {
		node.Splits = append(node.Splits, &chainSplit{Definition: &part, Weight: part.Weight, NextNode: next})
		return nil
	}
	for _, split := range inner.Splits {
		scaled := *split
		scaled.Weight = split.Weight * part.Weight / 100
		node.Splits = append(node.Splits, &scaled)
	}
	return nil
}

// prune removes the nodes that nothing leads to: splitters whose parts were
// taken over by another.
func (c *chain) prune() {
	reached := map[string]bool{}
	var reach func(string)
	reach = func(id string) {
		if reached[id] {
			return
		}
		reached[id] = true
		for _, route := range c.Nodes[id].Routes {
			reach(route.NextNode)
		}
		for _, split := range c.Nodes[id].Splits {
			reach(split.NextNode)
		}
	}
	reach(c.StartNode)
	maps.DeleteFunc(c.Nodes, func(id string, _ *chainNode) bool { return !reached[id] })
}
