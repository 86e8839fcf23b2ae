package nomad

import (
	"net/http"
	"slices"
)

func aclRoutes() []route {
	routes := slices.Concat(aclTokenRoutes(), aclPolicyRoutes(), aclRoleRoutes(), aclMethodRoutes(), aclLoginRoutes())
	for i, row := range routes {
		routes[i].Handle = withACL(row.Handle)
	}
	return append(routes,
		faithful(http.MethodGet, "/v1/acl/token/self", (*request).ownACLToken),
		faithful(http.MethodGet, "/v1/acl/policy/self", inAuthority((*request).ownACLPolicies)))
}

var errACLsDisabled = badRequest("ACL support disabled")

// withACL is a handler of a Nomad that has ACLs: others refuse.
func withACL(handle func(*request) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		if !r.region.nomad.options.ACL {
			return nil, errACLsDisabled
		}
		return handle(r)
	}
}

// inAuthority is a handler of what the authoritative region has for all.
func inAuthority(handle func(*request) (any, error)) func(*request) (any, error) {
	return func(r *request) (any, error) {
		_, _ = r.identify() // by the tokens of the region that was asked; the handler refuses
		r.region = r.region.authority()
		return handle(r)
	}
}

func aclPolicyRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/policies", inAuthority((*request).aclPolicies)),
		faithful(http.MethodGet, "/v1/acl/policy/{name...}", inAuthority((*request).aclPolicy)),
		faithful(http.MethodPut, "/v1/acl/policy/{name...}", inAuthority((*request).putACLPolicy)),
		faithful(http.MethodDelete, "/v1/acl/policy/{name...}", inAuthority((*request).deleteACLPolicy)),
	}
}

func aclTokenRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/acl/bootstrap", (*request).bootstrapACL),
		faithful(http.MethodGet, "/v1/acl/tokens", (*request).aclTokens),
		faithful(http.MethodPut, "/v1/acl/token", (*request).putACLToken),
		faithful(http.MethodPut, "/v1/acl/token/onetime", (*request).makeOneTimeToken),
		faithful(http.MethodPut, "/v1/acl/token/onetime/exchange", (*request).exchangeOneTimeToken),
		faithful(http.MethodGet, "/v1/acl/token/{id...}", (*request).aclToken),
		faithful(http.MethodPut, "/v1/acl/token/{id...}", (*request).putACLToken),
		faithful(http.MethodDelete, "/v1/acl/token/{id...}", (*request).deleteACLToken),
	}
}

func aclRoleRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/roles", inAuthority((*request).aclRoles)),
		faithful(http.MethodPut, "/v1/acl/role", inAuthority((*request).putACLRole)),
		faithful(http.MethodGet, "/v1/acl/role/name/{name...}", inAuthority((*request).aclRoleNamed)),
		faithful(http.MethodGet, "/v1/acl/role/{id...}", inAuthority((*request).aclRole)),
		faithful(http.MethodPut, "/v1/acl/role/{id...}", inAuthority((*request).putACLRole)),
		faithful(http.MethodDelete, "/v1/acl/role/{id...}", inAuthority((*request).deleteACLRole)),
	}
}

func aclMethodRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/auth-methods", inAuthority((*request).authMethods)),
		faithful(http.MethodPut, "/v1/acl/auth-method", inAuthority((*request).putAuthMethod)),
		faithful(http.MethodGet, "/v1/acl/auth-method/{name...}", inAuthority((*request).authMethod)),
		faithful(http.MethodPut, "/v1/acl/auth-method/{name...}", inAuthority((*request).putAuthMethod)),
		faithful(http.MethodDelete, "/v1/acl/auth-method/{name...}", inAuthority((*request).deleteAuthMethod)),
		faithful(http.MethodGet, "/v1/acl/binding-rules", inAuthority((*request).bindingRules)),
		faithful(http.MethodPut, "/v1/acl/binding-rule", inAuthority((*request).putBindingRule)),
		faithful(http.MethodGet, "/v1/acl/binding-rule/{id...}", inAuthority((*request).bindingRule)),
		faithful(http.MethodPut, "/v1/acl/binding-rule/{id...}", inAuthority((*request).putBindingRule)),
		faithful(http.MethodDelete, "/v1/acl/binding-rule/{id...}", inAuthority((*request).deleteBindingRule)),
	}
}

func aclLoginRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/acl/login", (*request).logIn),
		faithful(http.MethodPut, "/v1/acl/oidc/auth-url", (*request).beginLogin),
		faithful(http.MethodPut, "/v1/acl/oidc/complete-auth", (*request).completeLogin),
	}
}
