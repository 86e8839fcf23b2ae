package consul

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// resolve is the resolver that finds the instances of a service: of the one
// that it is redirected to, after the targets in redirects.
func (c *compiler) resolve(service, subset, datacenter, peer string, redirects []string) (string, error) {
	entry, err := state.Config[api.ServiceResolverConfigEntry](c.view, api.ServiceResolver, service)
	if err != nil {
		return "", err
	}
	if _, _, err := c.defaults(service); err != nil && peer == "" {
		return "", err
	}
	if entry == nil || peer != "" {
		entry = nil
		if subset != "" && peer == "" {
			return "", fmt.Errorf("service %q does not have a subset named %q", service, subset)
		}
	}
	if entry != nil && subset == "" {
		subset = entry.DefaultSubset
	}
	target := c.target(service, subset, datacenter, peer)
	if entry != nil && entry.Redirect != nil {
		if slices.Contains(redirects, target.ID) {
			return "", fmt.Errorf("detected circular resolver redirect: [%s]", strings.Join(append(redirects, target.ID), " -> "))
		}
		to := entry.Redirect
		next := cmp.Or(to.Service, service)
		if c.target(next, to.ServiceSubset, cmp.Or(to.Datacenter, datacenter), to.Peer).ID != target.ID {
			return c.resolve(next, to.ServiceSubset, cmp.Or(to.Datacenter, datacenter), to.Peer, append(redirects, target.ID))
		}
	}
	id := "resolver:" + target.ID
	if c.chain.Nodes[id] != nil {
		return id, nil
	}
	node := &chainNode{Type: api.DiscoveryGraphNodeTypeResolver, Name: target.ID, Resolver: &chainResolver{
		Default: entry == nil, Target: target.ID,
	}}
	c.chain.Nodes[id] = node
	if err := c.add(target, entry); err != nil {
		return "", err
	}
	node.Resolver.ConnectTimeout = target.ConnectTimeout
	if entry != nil {
		node.LoadBalancer = entry.LoadBalancer
		node.Resolver.RequestTimeout = entry.RequestTimeout
		return id, c.failOver(node.Resolver, entry, target)
	}
	return id, nil
}

// target is what a service, subset, datacenter and peer are called in chains.
func (c *compiler) target(service, subset, datacenter, peer string) *chainTarget {
	t := &chainTarget{Service: service, ServiceSubset: subset, Namespace: "default", Partition: "default", Datacenter: datacenter}
	name := service
	if subset != "" {
		name = subset + "." + service
	}
	t.ID = name + ".default.default." + datacenter
	if peer != "" {
		t.ID, t.Datacenter, t.Peer = name+".default.default.external."+peer, "", peer
		return t
	}
	t.SNI = name + ".default." + datacenter + ".internal." + c.trustDomain
	t.Name = t.SNI
	return t
}

// add adds a target with what the entries say about it. One that is there is left.
func (c *compiler) add(t *chainTarget, resolver *api.ServiceResolverConfigEntry) error {
	t.ConnectTimeout = state.Duration(defaultConnectTimeout)
	if resolver != nil {
		if resolver.ConnectTimeout > 0 {
			t.ConnectTimeout = state.Duration(resolver.ConnectTimeout)
		}
		if t.ServiceSubset != "" {
			subset, ok := resolver.Subsets[t.ServiceSubset]
			if !ok {
				return fmt.Errorf("service %q does not have a subset named %q", t.Service, t.ServiceSubset)
			}
			t.Subset = subset
		}
	}
	if timeout := time.Duration(c.overrides.OverrideConnectTimeout); timeout > 0 {
		t.ConnectTimeout = state.Duration(timeout)
	}
	defaults, _, err := c.view.ServiceDefaults(t.Service)
	if err != nil {
		return err
	}
	if err := c.setGateway(t, defaults); err != nil {
		return err
	}
	if defaults != nil && defaults.ExternalSNI != "" {
		t.SNI, t.External = defaults.ExternalSNI, true
	}
	if c.chain.Targets[t.ID] == nil {
		c.chain.Targets[t.ID] = t
	}
	return nil
}

// setGateway says how proxies leave their datacenter: as the request has it,
// the service, or all proxies.
func (c *compiler) setGateway(t *chainTarget, defaults *api.ServiceConfigEntry) error {
	t.MeshGateway = c.overrides.OverrideMeshGateway
	if t.MeshGateway.Mode == "" && defaults != nil {
		t.MeshGateway = defaults.MeshGateway
	}
	if t.MeshGateway.Mode != "" {
		return nil
	}
	proxies, err := state.Config[api.ProxyConfigEntry](c.view, api.ProxyDefaults, api.ProxyConfigGlobal)
	if proxies != nil {
		t.MeshGateway = proxies.MeshGateway
	}
	return err
}

// failOver says where to go while a target has no healthy instance.
func (c *compiler) failOver(r *chainResolver, entry *api.ServiceResolverConfigEntry, from *chainTarget) error {
	rule, ok := entry.Failover[from.ServiceSubset]
	if !ok || from.ServiceSubset == "" {
		if rule, ok = entry.Failover[wildcard]; !ok {
			return nil
		}
	}
	var targets []*chainTarget
	service := cmp.Or(rule.Service, from.Service)
	subset := func(service, subset string) string {
		if subset == "" && service == from.Service {
			return from.ServiceSubset
		}
		return subset
	}
	switch {
	case len(rule.Targets) > 0:
		for _, t := range rule.Targets {
			to := cmp.Or(t.Service, from.Service)
			targets = append(targets, c.target(to, subset(to, t.ServiceSubset), cmp.Or(t.Datacenter, from.Datacenter), t.Peer))
		}
	case len(rule.Datacenters) > 0:
		for _, datacenter := range rule.Datacenters {
			targets = append(targets, c.target(service, subset(service, rule.ServiceSubset), datacenter, ""))
		}
	default:
		targets = append(targets, c.target(service, subset(service, rule.ServiceSubset), from.Datacenter, ""))
	}
	failover := &chainFailover{Policy: rule.Policy}
	for _, t := range targets {
		if t.ID == from.ID {
			continue
		}
		if err := c.addFailover(t); err != nil {
			return err
		}
		failover.Targets = append(failover.Targets, t.ID)
	}
	if len(failover.Targets) > 0 {
		r.Failover = failover
	}
	return nil
}

func (c *compiler) addFailover(t *chainTarget) error {
	if t.Peer != "" {
		return c.add(t, nil)
	}
	if _, _, err := c.defaults(t.Service); err != nil {
		return err
	}
	resolver, err := state.Config[api.ServiceResolverConfigEntry](c.view, api.ServiceResolver, t.Service)
	if err != nil {
		return err
	}
	if resolver != nil && t.ServiceSubset == "" && resolver.DefaultSubset != "" {
		*t = *c.target(t.Service, resolver.DefaultSubset, t.Datacenter, "")
	}
	if resolver == nil && t.ServiceSubset != "" {
		return fmt.Errorf("service %q does not have a subset named %q", t.Service, t.ServiceSubset)
	}
	return c.add(t, resolver)
}
