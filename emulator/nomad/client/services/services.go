// Package services registers the services of allocations, in Consul or with
// the servers of the region (provider nomad), and runs or follows their
// checks. The node agent (package client) makes a hook.Services for each
// allocation with New; an Agent, one for each Consul agent, is shared by all
// nodes and allocations that register there.
package services

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// providerNomad names the region's servers as what services are registered with.
const providerNomad = "nomad"

// Servers keep the services with the provider nomad. client.Server does.
type Servers interface {
	RegisterServices(services []*api.ServiceRegistration) error
	DeregisterServices(ids []string) error
}

// Config is what all allocations of a node have in common.
type Config struct {
	Servers Servers
	Consul  *Agent // nil without Consul: allocations that need it are refused
	Logger  *slog.Logger
}

// New returns what makes the services of allocations.
func New(c Config) hook.NewServices {
	return func(alloc hook.Allocation) (hook.Services, error) {
		a := &allocation{config: c, of: alloc, registered: map[string]*registration{}, changed: make(chan struct{})}
		if c.Consul == nil && needsConsul(alloc.Allocation()) {
			return nil, errors.New("the job has services with the provider consul, and the node has no Consul agent: use the provider nomad, or configure one")
		}
		return a, nil
	}
}

func needsConsul(alloc *api.Allocation) bool {
	inConsul := func(s *api.Service) bool { return s.Provider != providerNomad }
	group := alloc.GetTaskGroup()
	return group != nil && (slices.ContainsFunc(group.Services, inConsul) || slices.ContainsFunc(group.Tasks, func(t *api.Task) bool {
		return slices.ContainsFunc(t.Services, inConsul)
	}))
}

// allocation is the services of one allocation.
type allocation struct {
	config Config
	of     hook.Allocation
	checks sync.WaitGroup // those that the node runs

	mu         sync.Mutex
	registered map[string]*registration // by ID; changed by calls of the hook alone
	changed    chan struct{}            // closed when a status has changed
}

// registration is an instance that is registered.
type registration struct {
	instance
	checks []*watched
}

// Prerun implements hook.Services.
func (a *allocation) Prerun(context.Context) error {
	a.register(scope{})
	return nil
}

// Poststart implements hook.Services.
func (a *allocation) Poststart(task hook.Task) {
	a.register(scope{task: task})
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.registered {
		for _, c := range r.checks {
			c.started(task.Spec().Name)
		}
	}
}

// PreKill implements hook.Services.
func (a *allocation) PreKill(task hook.Task) { a.deregister(scope{task: task}) }

// Exited implements hook.Services.
func (a *allocation) Exited(task hook.Task) { a.deregister(scope{task: task}) }

// PreKillGroup implements hook.Services.
func (a *allocation) PreKillGroup() { a.deregister(scope{}) }

// Update implements hook.Services. What is not registered by now stays so.
func (a *allocation) Update(*api.Allocation) {
	present := map[string]bool{}
	for _, r := range a.all() {
		present[r.owner] = true
	}
	for _, s := range a.scopes() {
		if present[s.owner()] || s.task != nil && s.task.Running() {
			a.register(s)
		}
	}
}

// Stop implements hook.Services.
func (a *allocation) Stop() {
	for _, s := range a.scopes() {
		a.deregister(s)
	}
	a.checks.Wait()
}

// scopes are the group and its tasks.
func (a *allocation) scopes() []scope {
	all := []scope{{}}
	for _, t := range a.of.Tasks() {
		all = append(all, scope{task: t})
	}
	return all
}

func (a *allocation) all() []*registration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.registered))
}

// register has exactly the services of the scope registered, as its job has them now.
func (a *allocation) register(s scope) {
	wanted := a.build(s)
	before := map[string]*registration{}
	for _, r := range a.all() {
		if r.owner == s.owner() {
			before[r.id] = r
		}
	}
	var fresh []*registration
	for _, i := range wanted {
		old := before[i.id]
		delete(before, i.id)
		if old == nil || !old.instance.equal(i) {
			fresh = append(fresh, a.replace(old, i))
		}
	}
	a.remove(slices.Collect(maps.Values(before)))
	a.publish(fresh)
}

// replace puts an instance in the place of another, or of none. A check that
// is the same as before goes on.
func (a *allocation) replace(old *registration, i instance) *registration {
	r := &registration{instance: i}
	kept := map[string]*watched{}
	if old != nil {
		for _, c := range old.checks {
			kept[c.id] = c
		}
	}
	var fresh []*watched
	for _, c := range i.checks {
		w := kept[c.id]
		delete(kept, c.id)
		if w == nil {
			w = a.newWatched(r, c)
			fresh = append(fresh, w)
		}
		r.checks = append(r.checks, w)
	}
	for _, c := range kept {
		c.stop()
	}
	a.mu.Lock()
	a.registered[i.id] = r
	a.notifyLocked()
	a.mu.Unlock()
	for _, w := range fresh {
		a.start(w)
	}
	return r
}

func (a *allocation) deregister(s scope) {
	a.remove(slices.DeleteFunc(a.all(), func(r *registration) bool { return r.owner != s.owner() }))
}

// remove deregisters, and returns when that is done or known to need time.
func (a *allocation) remove(gone []*registration) {
	if len(gone) == 0 {
		return
	}
	a.mu.Lock()
	for _, r := range gone {
		delete(a.registered, r.id)
	}
	a.notifyLocked()
	a.mu.Unlock()
	var fromServers, fromConsul []string
	for _, r := range gone {
		for _, c := range r.checks {
			c.stop()
		}
		if r.provider == providerNomad {
			fromServers = append(fromServers, r.id)
		} else {
			fromConsul = append(fromConsul, r.id)
		}
	}
	if len(fromServers) > 0 {
		if err := a.config.Servers.DeregisterServices(fromServers); err != nil {
			a.config.Logger.Warn("services stay registered", "services", fromServers, "error", err)
		}
	}
	if len(fromConsul) > 0 {
		a.config.Consul.remove(fromConsul)
	}
}

// publish registers what is new or other than before.
func (a *allocation) publish(fresh []*registration) {
	var withServers []*api.ServiceRegistration
	for _, r := range fresh {
		if r.provider == providerNomad {
			withServers = append(withServers, a.serviceRegistration(r.instance))
			continue
		}
		a.config.Consul.add(consulService(r.instance), a.record)
	}
	if len(withServers) == 0 {
		return
	}
	if err := a.config.Servers.RegisterServices(withServers); err != nil {
		a.config.Logger.Error("services are not registered", "allocation", a.of.Allocation().ID, "error", err)
	}
}

func (a *allocation) serviceRegistration(i instance) *api.ServiceRegistration {
	alloc, node := a.of.Allocation(), a.of.Node()
	return &api.ServiceRegistration{
		ID: i.id, ServiceName: i.name, Namespace: alloc.Namespace, NodeID: node.ID, Datacenter: node.Datacenter,
		JobID: alloc.JobID, AllocID: alloc.ID, Tags: i.tags, Address: i.address, Port: i.port,
	}
}
