package consul

import (
	"net/http"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func healthRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/health/node/{node...}", healthNode),
		faithful(http.MethodGet, "/v1/health/checks/{service...}", healthChecks),
		faithful(http.MethodGet, "/v1/health/state/{state...}", healthState),
		partial(http.MethodGet, "/v1/health/service/{service...}", healthService, "merge-central-config merges nothing; there are no peers"),
		partial(http.MethodGet, "/v1/health/connect/{service...}", healthConnect, "merge-central-config merges nothing; there are no peers"),
		partial(http.MethodGet, "/v1/health/ingress/{service...}", healthIngress, "merge-central-config merges nothing; there are no peers"),
	}
}

func healthNode(r *request) (any, error) {
	name, err := r.named("node", "node name")
	if err != nil {
		return nil, err
	}
	return r.findChecks("node", name)
}

func healthChecks(r *request) (any, error) {
	name, err := r.named("service", "service name")
	if err != nil {
		return nil, err
	}
	return r.findChecks("service", name)
}

func healthState(r *request) (any, error) {
	status, err := r.named("state", "check state")
	if err != nil {
		return nil, err
	}
	if status == api.HealthAny {
		return r.findChecks("id")
	}
	return r.findChecks("status", status)
}

// findChecks answers the checks that an index of their table leads to.
func (r *request) findChecks(index string, args ...any) (any, error) {
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	meta := r.metadata()
	return find(r, lookup[*state.Check]{
		rows: func(view *state.View) ([]*state.Check, uint64) {
			rows := store.Collect[state.Check](view, state.TableChecks, index, args...)
			changed := view.Unwatched().Index(state.TableChecks)
			if len(meta) == 0 {
				return rows, changed
			}
			rows = slices.DeleteFunc(rows, func(c *state.Check) bool { return !hasAll(view.Unwatched().Node(c.Node).Meta, meta) })
			return rows, max(changed, view.Index(state.TableNodes))
		},
		keep: sees.check,
		node: func(c *state.Check) string { return c.Node },
	})
}
