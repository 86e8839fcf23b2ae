package consul

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/drydock/drydock/emulator/consul/dns"
	"github.com/drydock/drydock/emulator/consul/state"
)

// PreparedQuery implements dns.Source.
func (s dnsSource) PreparedQuery(datacenter, nameOrID string, client netip.Addr) (dns.PreparedResult, error) {
	var result dns.PreparedResult
	l, err := s.look(datacenter)
	if err != nil {
		return result, err
	}
	e := execution{sees: l.sees}
	if e.query, err = l.dc.prepared(nameOrID); statusOf(err) == http.StatusNotFound {
		return result, dns.ErrNotFound
	}
	if err != nil {
		return result, err
	}
	e.near = func(view *state.View) string {
		if e.query.Service.Near != "_ip" {
			return ""
		}
		return nodeAt(view, client.String())
	}
	if token := e.query.Token; token != "" {
		c, err := l.dc.resolve(token)
		if err != nil {
			return result, err
		}
		e.sees.may = c.may
	}
	answer := l.dc.execute(e, s.agent.options.Node)
	for _, found := range answer.Nodes {
		result.Instances = append(result.Instances, dnsInstance(found))
	}
	if answer.DNS.TTL != "" {
		if result.TTL, err = time.ParseDuration(answer.DNS.TTL); err != nil {
			return result, err
		}
	}
	return result, nil
}
