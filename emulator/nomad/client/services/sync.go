package services

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	consul "github.com/hashicorp/consul/api"
)

// round registers and deregisters what has to be; a whole one first looks at
// what Consul has.
func (a *Agent) round(ctx context.Context, whole bool) error {
	a.mu.Lock()
	wanted, waiting := maps.Clone(a.wanted), a.waiting
	a.waiting = nil
	a.mu.Unlock()
	err := a.apply(ctx, wanted, whole)
	if err != nil {
		a.mu.Lock()
		a.waiting = append(a.waiting, waiting...)
		a.mu.Unlock()
		return err
	}
	for _, done := range waiting {
		close(done)
	}
	return nil
}

func (a *Agent) apply(ctx context.Context, wanted map[string]*consul.AgentServiceRegistration, whole bool) error {
	if whole {
		if err := a.compare(ctx, wanted); err != nil {
			return err
		}
	}
	for id := range a.registered {
		if wanted[id] == nil {
			if err := a.deregister(ctx, id); err != nil {
				return err
			}
		}
	}
	for id, service := range wanted {
		if old := a.registered[id]; old != nil && same(old, service) {
			continue
		}
		options := consul.ServiceRegisterOpts{ReplaceExistingChecks: true}.WithContext(ctx)
		if err := a.client.Agent().ServiceRegisterOpts(service, options); err != nil {
			return fmt.Errorf("register service %s: %w", service.Name, err)
		}
		a.registered[id] = service
	}
	return nil
}

func (a *Agent) deregister(ctx context.Context, id string) error {
	err := a.client.Agent().ServiceDeregisterOpts(id, new(consul.QueryOptions).WithContext(ctx))
	if status, ok := errors.AsType[consul.StatusError](err); ok && status.Code == http.StatusNotFound {
		err = nil // gone already
	}
	if err != nil {
		return fmt.Errorf("deregister service %s: %w", id, err)
	}
	delete(a.registered, id)
	return nil
}

// same reports whether Consul need not be told of the next registration.
func same(old, next *consul.AgentServiceRegistration) bool {
	if next.EnableTagOverride && old.EnableTagOverride { // the tags are others' to change
		copied := *old
		copied.Tags = next.Tags
		old = &copied
	}
	return reflect.DeepEqual(old, next)
}

// compare finds out what Consul has forgotten, or has of allocations that are gone.
func (a *Agent) compare(ctx context.Context, wanted map[string]*consul.AgentServiceRegistration) error {
	query := new(consul.QueryOptions).WithContext(ctx)
	there, err := a.client.Agent().ServicesWithFilterOpts("", query)
	if err != nil {
		return fmt.Errorf("list services: %w", err)
	}
	checks, err := a.client.Agent().ChecksWithFilterOpts("", query)
	if err != nil {
		return fmt.Errorf("list checks: %w", err)
	}
	for id, r := range a.registered {
		if !intact(r, there[id], checks) {
			delete(a.registered, id)
		}
	}
	if time.Since(a.began) < probation {
		return nil
	}
	for id := range there {
		if strings.HasPrefix(id, servicePrefix) && wanted[id] == nil {
			a.registered[id] = nil // which has it deregistered
		}
	}
	return nil
}

// intact reports whether Consul has the service and its checks as they were registered.
func intact(r *consul.AgentServiceRegistration, there *consul.AgentService, checks map[string]*consul.AgentCheck) bool {
	if r == nil || there == nil || there.Service != r.Name || there.Address != r.Address || there.Port != r.Port {
		return false
	}
	if !r.EnableTagOverride && !slices.Equal(there.Tags, r.Tags) || !maps.Equal(there.Meta, r.Meta) {
		return false
	}
	return !slices.ContainsFunc(r.Checks, func(c *consul.AgentServiceCheck) bool { return checks[c.CheckID] == nil })
}
