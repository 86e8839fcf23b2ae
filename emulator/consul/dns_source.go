package consul

import (
	"cmp"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/dns"
	"github.com/drydock/drydock/emulator/consul/state"
)

// dnsSource gives an agent's DNS its answers, as far as the token allows that the
// agent has for DNS, or for requests that have none.
type dnsSource struct{ agent *agent }

// dnsLook is a look at one datacenter for an answer.
type dnsLook struct {
	dc   *datacenter
	view *state.View
	sees sight
}

// look opens the datacenter of that name; empty is the agent's own.
func (s dnsSource) look(datacenter string) (dnsLook, error) {
	d := s.agent.dc
	if datacenter != "" {
		d = d.consul.datacenter(datacenter)
	}
	if d == nil {
		return dnsLook{}, dns.ErrNotFound
	}
	tokens := &s.agent.tokens
	c, err := d.resolve(cmp.Or(tokens.get(tokenDNS), tokens.get(tokenDefault)))
	if err != nil {
		return dnsLook{}, err
	}
	unnoted := func() {} // DNS does not tell what it leaves out
	return dnsLook{d, d.store.View().Unwatched(), sight{c.may, unnoted}}, nil
}

// Service implements dns.Source. Who may not see a service is told so only when
// it is asked for through the mesh or a gateway, as Consul has it.
func (s dnsSource) Service(q dns.ServiceQuery) ([]dns.Instance, error) {
	l, err := s.look(q.Datacenter)
	if err != nil {
		return nil, err
	}
	if (q.Connect || q.Ingress) && !l.sees.service(q.Name) {
		return nil, errDenied
	}
	var found []dns.Instance
	for _, instance := range l.instances(q) {
		if q.Tag != "" && !hasTag(instance.Tags, q.Tag) || !l.sees.instance(instance) {
			continue
		}
		if e := newEntry(l.view, instance); !e.has(api.HealthCritical) {
			found = append(found, dnsInstance(e))
		}
	}
	return found, nil
}

// instances are those that a question is about, whatever their health.
func (l dnsLook) instances(q dns.ServiceQuery) []*state.Service {
	switch {
	case q.Connect:
		list, _ := connectInstancesOf(l.view, q.Name)
		return list
	case q.Ingress:
		var list []*state.Service
		for _, gateway := range l.view.GatewaysOf(api.ServiceKindIngressGateway, q.Name) {
			list = append(list, instancesOf(l.view, gateway)...)
		}
		return list
	}
	return instancesOf(l.view, q.Name)
}

// has tells whether any of the checks has a status.
func (e *entry) has(status string) bool {
	for _, check := range e.Checks {
		if check.Status == status {
			return true
		}
	}
	return false
}

// dnsInstance is an instance as DNS tells it, with the weight for its health.
func dnsInstance(e *entry) dns.Instance {
	weight := e.Service.Weights.Passing
	if e.has(api.HealthWarning) {
		weight = e.Service.Weights.Warning
	}
	return dns.Instance{Node: dnsNode(e.Node), Address: e.Service.Address, Port: e.Service.Port, Weight: weight}
}
