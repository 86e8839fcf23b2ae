package services

import (
	"context"
	"strconv"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
)

// fingerprintTimeout is how long Consul is waited for when it is asked about itself.
const fingerprintTimeout = 2 * time.Second

// Fingerprint asks Consul about itself. What it answers are the attributes of
// the nodes that register there; without an answer they have none.
func (a *Agent) Fingerprint(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, fingerprintTimeout)
	defer cancel()
	var self struct {
		Config struct {
			Datacenter, NodeName, Version string
			Server                        bool
		}
		DebugConfig struct {
			ConnectEnabled bool
			DNSPort        int
		}
	}
	if _, err := a.client.Raw().Query("/v1/agent/self", &self, new(consul.QueryOptions).WithContext(ctx)); err != nil {
		a.log.Warn("Consul does not tell about itself: jobs that need it find no node", "error", err)
		return nil
	}
	sku := "oss"
	if strings.Contains(self.Config.Version, "+ent") {
		sku = "ent"
	}
	return map[string]string{
		"consul.version": self.Config.Version, "consul.sku": sku, "consul.datacenter": self.Config.Datacenter,
		"consul.server": strconv.FormatBool(self.Config.Server), "consul.connect": strconv.FormatBool(self.DebugConfig.ConnectEnabled),
		"consul.ft.namespaces": "false", "consul.dns.port": strconv.Itoa(self.DebugConfig.DNSPort),
		"unique.consul.name": self.Config.NodeName,
	}
}
