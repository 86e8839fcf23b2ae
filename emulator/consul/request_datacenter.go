package consul

import (
	"errors"
	"net/http"
	"strings"
)

// ownDatacenter are the routes, by how they begin, that are about the agent, its
// datacenter or all of them: they do not look at the parameter dc. Where the
// body names a datacenter, it is the handler that turns to it.
var ownDatacenter = []string{
	"/v1/agent/",
	"/v1/catalog/datacenters",
	"/v1/catalog/deregister",
	"/v1/catalog/register",
	"/v1/coordinate/datacenters",
	"/v1/event/list",
	"/v1/exported-services",
	"/v1/imported-services",
	"/v1/internal/acl/authorize",
	"/v1/operator/keyring",
	"/v1/operator/raft/transfer-leader",
	"/v1/operator/usage",
	"/v1/operator/utilization",
	"/v1/peering",
	"/v1/acl/bootstrap",
	"/v1/acl/templated-policies",
}

// managedInPrimary are the routes, by how they begin, whose writes go to the
// primary datacenter, from where the others have a copy.
var managedInPrimary = []string{"/v1/config", "/v1/connect/intentions"}

// writtenAtHome are the routes, by how they begin, whose writes do not look at
// the parameter dc: the handler knows which datacenter has what is written.
var writtenAtHome = []string{
	"/v1/acl/auth-method", "/v1/acl/binding-rule", "/v1/acl/policy", "/v1/acl/role", "/v1/acl/token",
}

// errNoPath is the answer to a request about a datacenter that there is not.
var errNoPath = fail(http.StatusInternalServerError, "No path to datacenter")

// chooseDatacenter finds the datacenter that a request of a route is about:
// the agent's own unless the parameter dc names another.
func (r *request) chooseDatacenter(route string) error {
	writes := r.Method != http.MethodGet && r.Method != http.MethodHead
	switch {
	case writes && beginsWithAny(route, managedInPrimary):
		r.dc = r.agent.dc.consul.primary()
		return nil
	case writes && beginsWithAny(route, writtenAtHome),
		beginsWithAny(route, ownDatacenter) && !strings.HasPrefix(route, "/v1/agent/connect/ca/"):
		return nil
	}
	return r.turnTo(r.query.Get("dc"))
}

// turnTo makes the request one about the datacenter of that name; the empty
// name leaves it as it is.
func (r *request) turnTo(name string) error {
	if name == "" {
		return nil
	}
	d := r.agent.dc.consul.datacenter(name)
	if d == nil {
		return errNoPath
	}
	r.dc = d
	return nil
}

// shownSecret is the secret of the token that the datacenter is shown which the
// request is about. A token that is local to the agent's is not shown elsewhere.
func (r *request) shownSecret() string {
	if r.token == "" || r.dc == r.agent.dc {
		return r.token
	}
	if token := r.agent.dc.store.View().TokenOf(r.token); token != nil && token.Local {
		return ""
	}
	return r.token
}

// forwarded words an error as an agent does that has had it from a server of
// another datacenter.
func (r *request) forwarded(err error) error {
	status := statusOf(err)
	if r.dc == r.agent.dc || errors.Is(err, errNoPath) ||
		status != http.StatusInternalServerError && status != http.StatusForbidden {
		return err
	}
	return fail(status, "rpc error making call: %v", err)
}

func beginsWithAny(route string, beginnings []string) bool {
	for _, beginning := range beginnings {
		if strings.HasPrefix(route, beginning) {
			return true
		}
	}
	return false
}
