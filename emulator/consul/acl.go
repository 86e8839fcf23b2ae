package consul

import (
	"net/http"
	"slices"

	"github.com/hashicorp/go-memdb"

	"github.com/drydock/drydock/emulator/consul/state"
)

// aclNotFound is what Consul says of a secret that no token has, and of what
// access control does not know.
const aclNotFound = "ACL not found"

// aclRoutes are the routes that manage access control. Without it they answer nothing else.
func aclRoutes() []route {
	routes := slices.Concat(
		bootstrapRoutes(),
		tokenRoutes(),
		policyRoutes(),
		roleRoutes(),
		authMethodRoutes(),
		bindingRuleRoutes(),
		loginRoutes(),
		templatedPolicyRoutes(),
		authorizeRoutes(),
		legacyACLRoutes(),
	)
	for i := range routes {
		if handle := routes[i].Handle; handle != nil {
			routes[i].Handle = withAccessControl(handle)
		}
	}
	return routes
}

func withAccessControl(handle func(*request) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		if !r.dc.consul.options.ACL.Enabled {
			return nil, fail(http.StatusUnauthorized, "ACL support disabled")
		}
		return handle(r)
	}
}

// inPrimary makes a handler work on the primary datacenter, which has the
// policies and roles of all.
func inPrimary(handle func(*request) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		r.dc = r.dc.consul.primary()
		return handle(r)
	}
}

// legacyACLRoutes are those of the access control before Consul 1.4, which
// Consul has no more either.
func legacyACLRoutes() []route {
	const gone = "Consul has removed it"
	return []route{
		absent(http.MethodPut, "/v1/acl/create", gone),
		absent(http.MethodPut, "/v1/acl/update", gone),
		absent(http.MethodPut, "/v1/acl/destroy/{id...}", gone),
		absent(http.MethodGet, "/v1/acl/info/{id...}", gone),
		absent(http.MethodPut, "/v1/acl/clone/{id...}", gone),
		absent(http.MethodGet, "/v1/acl/list", gone),
		absent(http.MethodPost, "/v1/acl/rules/translate", gone),
		absent(http.MethodGet, "/v1/acl/rules/translate/{id...}", gone),
	}
}

// isUUID tells whether a text has the form of a UUID.
func isUUID(text string) bool { return checkLookup("", text) == nil }

// checkLookup is an error unless something of access control could have the ID.
func checkLookup(kind, id string) error {
	if _, err := (&memdb.UUIDFieldIndex{}).FromArgs(id); err != nil {
		return errText("failed acl %s lookup: index error: %v", kind, err)
	}
	return nil
}

// policies are a look at the policies and roles, which the primary datacenter
// has, during a change of this one.
func (d *datacenter) policies(v *state.View) *state.View {
	if primary := d.consul.primary(); primary != d {
		return primary.store.View()
	}
	return v
}
