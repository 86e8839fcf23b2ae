package consul

import (
	"context"

	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// aliased is the checks.Source of the agent: what it knows itself of its own
// services, and the catalog of other nodes. No node is the agent's own.
func (a *agent) aliased(ctx context.Context, node, service string, seen uint64) (found checks.Aliased, index uint64, err error) {
	err = a.dc.store.Watch(ctx, func(view *state.View) bool {
		if node == "" {
			index = view.Index(state.TableLocalChecks, state.TableLocalServices)
			found = a.ownChecks(view, service)
		} else {
			index = view.Index(state.TableChecks, state.TableServices, state.TableNodes)
			found = catalogChecks(view, node, service)
		}
		index = max(index, 1)
		return index > seen
	})
	return found, index, err
}

func (a *agent) ownChecks(view *state.View, service string) (found checks.Aliased) {
	if service != "" && view.LocalService(a.options.Node, service) == nil {
		found.NoService = true
		return found
	}
	for c := range store.All[state.LocalCheck](view, state.TableLocalChecks, "node", a.options.Node) {
		if c.ServiceID == "" || c.ServiceID == service {
			found.Checks = append(found.Checks, aliasedCheck(&c.Check))
		}
	}
	return found
}

func catalogChecks(view *state.View, node, service string) (found checks.Aliased) {
	if service != "" && view.Node(node) != nil && view.Service(node, service) == nil {
		found.NoService = true
		return found
	}
	for c := range store.All[state.Check](view, state.TableChecks, "node", node) {
		if c.ServiceID == "" || c.ServiceID == service {
			found.Checks = append(found.Checks, aliasedCheck(c))
		}
	}
	return found
}

func aliasedCheck(c *state.Check) checks.AliasedCheck {
	return checks.AliasedCheck{Name: c.Name, Result: checks.Result{Status: c.Status, Output: c.Output}}
}
