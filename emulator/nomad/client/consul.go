package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	consul "github.com/hashicorp/consul/api"
	nomad "github.com/hashicorp/nomad/api"
)

const (
	// servicePrefix is what the IDs of services begin with, so that those of
	// allocations that are long gone are known for such.
	servicePrefix = "_nomad-task-"
	// consulRetry is the time before what failed is tried again.
	consulRetry = time.Second
)

// consulServices keeps the services of a Consul agent at what the allocations
// offer with the provider consul.
type consulServices struct {
	n     *Nomad
	agent *consul.Agent

	mu         sync.Mutex        // held while anything is registered or deregistered
	registered map[string]string // what was registered, as JSON, by the service's ID
}

func (n *Nomad) newConsulServices() (*consulServices, error) {
	client, err := consul.NewClient(&consul.Config{Address: n.options.Consul})
	if err != nil {
		return nil, fmt.Errorf("reach Consul at %s: %w", n.options.Consul, err)
	}
	return &consulServices{n: n, agent: client.Agent()}, nil
}

// run follows the allocations until the context ends, and then registers what
// has become of them.
func (s *consulServices) run(ctx context.Context) {
	for {
		changed := s.n.changes()
		var retry <-chan time.Time
		if err := s.sync(); err != nil {
			s.n.log.Warn("services are not registered in Consul, trying again", "error", err)
			retry = time.After(consulRetry)
		}
		select {
		case <-changed:
		case <-retry:
		case <-ctx.Done():
			if err := s.sync(); err != nil {
				s.n.log.Warn("services stay registered in Consul", "error", err)
			}
			return
		}
	}
}

// sync registers what is new or other than it was, and deregisters what is gone.
func (s *consulServices) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registered == nil {
		there, err := s.agent.Services()
		if err != nil {
			return err
		}
		s.registered = map[string]string{}
		for id := range there {
			if strings.HasPrefix(id, servicePrefix) {
				s.registered[id] = ""
			}
		}
	}
	wanted := s.n.consulRegistrations()
	for id, registration := range wanted {
		text, err := json.Marshal(registration)
		if err != nil {
			return err
		}
		if s.registered[id] == string(text) {
			continue
		}
		s.n.setStatuses(registration)
		if err := s.agent.ServiceRegister(registration); err != nil {
			return fmt.Errorf("register %s: %w", registration.Name, err)
		}
		s.registered[id] = string(text)
	}
	for _, id := range slices.Collect(maps.Keys(s.registered)) {
		if wanted[id] != nil {
			continue
		}
		if err := s.agent.ServiceDeregister(id); err != nil {
			return fmt.Errorf("deregister %s: %w", id, err)
		}
		delete(s.registered, id)
	}
	return nil
}

// leave deregisters the services of an allocation that is told to stop, so that
// nobody is sent to it while it ends.
func (s *consulServices) leave(a *allocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, service := range a.services {
		id := service.entry.ID
		if _, there := s.registered[id]; !there {
			continue
		}
		if err := s.agent.ServiceDeregister(id); err != nil {
			s.n.log.Warn("a service is not deregistered in Consul, trying again", "service", id, "error", err)
			continue
		}
		delete(s.registered, id)
	}
}

// consulRegistrations are the services whose tasks run, by their IDs.
func (n *Nomad) consulRegistrations() map[string]*consul.AgentServiceRegistration {
	n.mu.Lock()
	defer n.mu.Unlock()
	wanted := map[string]*consul.AgentServiceRegistration{}
	for _, a := range n.placed {
		if a.stopped != "" || a.ended {
			continue
		}
		for _, s := range a.services {
			if s.entry.Provider == nomad.ServiceProviderConsul && s.runningLocked() {
				wanted[s.entry.ID] = s.registration()
			}
		}
	}
	return wanted
}

func (s *service) registration() *consul.AgentServiceRegistration {
	r := &consul.AgentServiceRegistration{
		ID: s.entry.ID, Name: s.entry.Name, Tags: slices.Clone(s.entry.Tags), Meta: maps.Clone(s.entry.Meta),
		Address: s.entry.Address, Port: s.entry.Port,
	}
	r.Meta["external-source"] = "nomad"
	for i, c := range s.checks {
		r.Checks = append(r.Checks, c.registration(fmt.Sprintf("%s-check-%d", s.entry.ID, i)))
	}
	return r
}

// registration is the check as Consul runs it.
func (c *check) registration(id string) *consul.AgentServiceCheck {
	r := &consul.AgentServiceCheck{
		CheckID: id, Name: c.name, Interval: c.spec.Interval.String(), Timeout: c.spec.Timeout.String(),
		SuccessBeforePassing: c.spec.SuccessBeforePassing, FailuresBeforeCritical: c.spec.FailuresBeforeCritical,
	}
	if c.spec.Type == "tcp" {
		r.TCP = c.address
		return r
	}
	r.HTTP, r.Method, r.Header, r.Body = c.url(), c.spec.Method, c.header, c.body
	return r
}

// setStatuses has the checks of a registration begin as the allocation's own
// are, so that a service which is known to be well is not unwell in Consul.
func (n *Nomad) setStatuses(r *consul.AgentServiceRegistration) {
	for _, s := range n.Services() {
		if s.ID != r.ID {
			continue
		}
		for i, c := range s.Checks {
			if i < len(r.Checks) && c.Passing {
				r.Checks[i].Status = consul.HealthPassing
			}
		}
	}
}
