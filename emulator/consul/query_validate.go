package consul

import (
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
)

// validateQuery tells what is wrong with a query that somebody wants to store.
func validateQuery(q *state.Query) error {
	service := &q.Service
	failover := &service.Failover
	switch {
	case q.Name == "" && q.Session == "" && q.Template.Type == "":
		return errText("Must be bound to a session")
	case q.Token == redactedToken:
		return errText("Bad Token '%s', it looks like a query definition with a redacted token was submitted", q.Token)
	case service.Service == "":
		return errText("Must provide a Service name to query")
	case service.SamenessGroup != "":
		return errText("sameness-groups are an enterprise-only feature")
	case failover.NearestN < 0:
		return errText("Bad NearestN '%d', must be >= 0", failover.NearestN)
	case len(failover.Targets) > 0 && (failover.NearestN != 0 || len(failover.Datacenters) > 0):
		return errText("Targets cannot be populated with NearestN or Datacenters")
	}
	if err := checkMeta(service.NodeMeta); err != nil {
		return err
	}
	return checkTTL(q.DNS.TTL)
}

func checkTTL(text string) error {
	if text == "" {
		return nil
	}
	ttl, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errText("Bad DNS TTL '%s': %v", text, err)
	case ttl < 0:
		return errText("DNS TTL '%d', must be >=0", ttl)
	default:
		return nil
	}
}
