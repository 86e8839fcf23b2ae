package services

import (
	"maps"
	"time"

	consul "github.com/hashicorp/consul/api"
)

const (
	// servicePrefix and checkPrefix are what the IDs of services and checks begin
	// with, so that those of allocations that are long gone are known for such.
	servicePrefix     = "_nomad-task-"
	consulCheckPrefix = "_nomad-check-"

	// scriptSlack is how much later than it should a script check may report
	// before Consul takes it for critical.
	scriptSlack = 31 * time.Second
)

// consulService is an instance as Consul has it.
func consulService(i instance) *consul.AgentServiceRegistration {
	r := &consul.AgentServiceRegistration{
		Kind: consul.ServiceKind(i.kind), ID: i.id, Name: i.name, Tags: i.tags, Address: i.address, Port: i.port,
		EnableTagOverride: i.tagOverride, Meta: map[string]string{"external-source": "nomad"},
		Checks: consul.AgentServiceChecks{}, TaggedAddresses: map[string]consul.ServiceAddress{},
	}
	maps.Copy(r.Meta, i.meta)
	for name, e := range i.tagged {
		r.TaggedAddresses[name] = consul.ServiceAddress{Address: e.address, Port: e.port}
	}
	if i.weights != nil {
		r.Weights = &consul.AgentWeights{Passing: i.weights.Passing, Warning: i.weights.Warning}
	}
	for _, c := range i.checks {
		r.Checks = append(r.Checks, consulCheck(c))
	}
	return r
}

// consulCheck is the check as Consul runs it, or waits for the results of it.
func consulCheck(c check) *consul.AgentServiceCheck {
	r := &consul.AgentServiceCheck{
		CheckID: c.id, Name: c.name, Timeout: c.spec.Timeout.String(), Status: c.spec.InitialStatus,
		SuccessBeforePassing: c.spec.SuccessBeforePassing, FailuresBeforeWarning: c.spec.FailuresBeforeWarning,
		FailuresBeforeCritical: c.spec.FailuresBeforeCritical,
	}
	if c.spec.Type == "script" {
		r.TTL = (c.spec.Interval + scriptSlack).String()
		return r
	}
	r.Interval = c.spec.Interval.String()
	r.TLSServerName, r.TLSSkipVerify = c.spec.TLSServerName, c.spec.TLSSkipVerify
	switch c.spec.Type {
	case "tcp":
		r.TCP = c.endpoint.String()
	case "http":
		r.HTTP, r.Method, r.Header, r.Body = c.url, c.spec.Method, c.header, c.body
	case "grpc":
		r.GRPC, r.GRPCUseTLS = c.endpoint.String(), c.spec.GRPCUseTLS
		if c.service != "" {
			r.GRPC += "/" + c.service
		}
	}
	return r
}
