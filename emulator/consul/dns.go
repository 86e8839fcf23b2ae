package consul

import (
	"fmt"
	"strings"

	"github.com/drydock/drydock/emulator/consul/dns"
)

// serveDNS answers DNS on every address that the agent has for it.
func (a *agent) serveDNS() error {
	for _, address := range strings.Fields(a.options.DNS) {
		server, err := dns.Start(dns.Options{Address: address, Source: dnsSource{a}, Logger: a.log})
		if err != nil {
			return fmt.Errorf("listen for DNS: %w", err)
		}
		a.dns = append(a.dns, server)
	}
	return nil
}

// DNS is where the DNS of a datacenter's first agent answers, host:port, with
// UDP and TCP; empty when it has none or there is no such datacenter.
func (c *Consul) DNS(datacenter string) string {
	d := c.datacenter(datacenter)
	if d == nil || len(d.agents[0].dns) == 0 {
		return ""
	}
	return d.agents[0].dns[0].Addr().String()
}
