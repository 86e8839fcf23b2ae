package consul

import (
	"slices"
	"sync"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// registry runs the checks of what is registered with an agent.
type registry struct {
	mu      sync.Mutex // held while anything is registered or removed
	runners map[string]*checks.Runner
	closed  bool
}

// register registers an instance with its checks and its sidecar, all or
// nothing. With replace, the checks that it had and the definition has not are removed.
func (a *agent) register(d ServiceDefinition, replace, configured bool) error {
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	var put []state.LocalCheck
	err := a.dc.store.Write(func(tx *state.Tx) error {
		s := a.instance(d)
		s.Configured = configured
		var err error
		if put, err = a.putInstance(tx, s, d.allChecks(), replace); err != nil || !hasSidecar(d) {
			return err
		}
		more, err := a.putSidecar(tx, d, &s, replace)
		put = append(put, more...)
		return err
	})
	if err != nil {
		return err
	}
	if replace {
		a.stopUnregistered()
	}
	a.startRunners(put)
	return nil
}

func hasSidecar(d ServiceDefinition) bool { return d.Connect != nil && d.Connect.SidecarService != nil }

// putInstance puts an instance and its checks, which it returns, in the state.
func (a *agent) putInstance(tx *state.Tx, s state.LocalService, list []CheckDefinition, replace bool) ([]state.LocalCheck, error) {
	completeInstance(&s)
	if err := tx.PutLocalService(s); err != nil {
		return nil, err
	}
	put := a.checksOf(list, &s)
	for _, c := range put {
		if err := tx.PutLocalCheck(c); err != nil {
			return nil, err
		}
	}
	if replace {
		for _, old := range store.Collect[state.LocalCheck](tx, state.TableLocalChecks, "instance", s.Node, s.ID) {
			if !slices.ContainsFunc(put, func(c state.LocalCheck) bool { return c.CheckID == old.CheckID }) {
				tx.DeleteLocalCheck(s.Node, old.CheckID)
			}
		}
	}
	return put, nil
}

func (a *agent) putSidecar(tx *state.Tx, of ServiceDefinition, instance *state.LocalService, replace bool) ([]state.LocalCheck, error) {
	d := sidecarOf(of, instance.ID)
	s := a.instance(d)
	s.SidecarOf, s.Configured = instance.ID, instance.Configured
	if s.Kind == api.ServiceKindConnectProxy && s.Port == 0 && s.SocketPath == "" {
		var err error
		if s.Port, err = a.sidecarPort(&tx.View, s.ID); err != nil {
			return nil, err
		}
	}
	if err := validateService(&s.Service); err != nil {
		return nil, badRequest("Failed Validation: %v", err)
	}
	list := d.allChecks()
	if len(list) == 0 {
		list = sidecarChecks(&s, instance.ID)
	}
	return a.putInstance(tx, s, list, replace)
}

// registerCheck registers a check of the node or of an instance that is there.
func (a *agent) registerCheck(d CheckDefinition, configured bool) error {
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	c := a.checkOf(d, configured)
	err := a.dc.store.Write(func(tx *state.Tx) error {
		if c.ServiceID != "" && tx.LocalService(c.Node, c.ServiceID) == nil {
			return notFound("ServiceID %q does not exist", c.ServiceID)
		}
		return tx.PutLocalCheck(c)
	})
	if err == nil {
		a.startRunners([]state.LocalCheck{c})
	}
	return err
}

// remove changes the state so that something is not registered any more, and
// stops what ran for it.
func (a *agent) remove(change func(*state.Tx) error) error {
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	if err := a.dc.store.Write(change); err != nil {
		return err
	}
	a.stopUnregistered()
	return nil
}

// startRunners runs the checks, instead of those that ran under their IDs.
func (a *agent) startRunners(list []state.LocalCheck) {
	view := a.dc.store.View()
	for _, c := range list {
		if old := a.registry.runners[c.CheckID]; old != nil {
			old.Close()
			delete(a.registry.runners, c.CheckID)
		}
		kept := view.LocalCheck(c.Node, c.CheckID)
		if c.Runs == nil || kept == nil || a.registry.closed {
			continue
		}
		runs := *c.Runs
		runs.Status, runs.Eager = kept.Status, a.dc.consul.options.EagerChecks
		started, err := checks.Start(runs, a.aliased, func(found checks.Result) { a.report(c.CheckID, found) })
		if err != nil {
			a.log.Error("a check does not run", "check", c.CheckID, "error", err)
			continue
		}
		a.registry.runners[c.CheckID] = started
	}
}

// stopUnregistered stops the checks that are not registered any more.
func (a *agent) stopUnregistered() {
	view := a.dc.store.View()
	for id, runner := range a.registry.runners {
		if view.LocalCheck(a.options.Node, id) == nil {
			runner.Close()
			delete(a.registry.runners, id)
		}
	}
}

// runner is what runs a check; nil when nothing does.
func (a *agent) runner(check string) *checks.Runner {
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	return a.registry.runners[check]
}

// report keeps what a check has found. That it has turned critical is logged;
// that it still is, or has not passed yet, is not.
func (a *agent) report(check string, found checks.Result) {
	turned := false
	err := a.dc.store.Write(func(tx *state.Tx) error {
		before := tx.LocalCheck(a.options.Node, check)
		turned = found.Status == api.HealthCritical && before != nil && before.Status != api.HealthCritical
		return tx.ReportLocalCheck(a.options.Node, check, found.Status, found.Output)
	})
	if err != nil {
		a.log.Error("what a check has found is not kept", "check", check, "error", err)
	}
	if turned {
		a.log.Warn("Check is now critical", "check", check)
	}
}

// closeRunners stops all checks; none is started any more.
func (a *agent) closeRunners() {
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	a.registry.closed = true
	var all sync.WaitGroup
	for _, runner := range a.registry.runners {
		all.Go(runner.Close)
	}
	all.Wait()
	clear(a.registry.runners)
}
