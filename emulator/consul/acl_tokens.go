package consul

import (
	"net/http"
	"slices"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func tokenRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/tokens", listTokens),
		faithful(http.MethodPut, "/v1/acl/token", putToken),
		faithful(http.MethodGet, "/v1/acl/token/self", getTokenSelf),
		faithful(http.MethodGet, "/v1/acl/token/{accessor...}", getToken),
		faithful(http.MethodPut, "/v1/acl/token/{accessor...}", putToken),
		faithful(http.MethodDelete, "/v1/acl/token/{accessor...}", deleteToken),
		faithful(http.MethodPut, "/v1/acl/token/{accessor}/clone", cloneToken),
	}
}

// hidden stands for the secrets of tokens for those who may only read.
const hidden = "<hidden>"

// errNoToken is the answer where a token does not exist, or no more.
func errNoToken() error {
	return fail(http.StatusForbidden, "token does not exist: "+aclNotFound)
}

// tokenIndexes are the marks of what the answers about tokens are made of.
func tokenIndexes(view *state.View) uint64 { return max(view.ACLIndex(), 1) }

func getTokenSelf(r *request) (any, error) {
	return r.block(func(view *state.View) (any, uint64, error) {
		token := r.dc.directory(view).tokenOf(r.token)
		if token == nil {
			return nil, 0, errNoToken()
		}
		return token, tokenIndexes(view), nil
	})
}

func getToken(r *request) (any, error) {
	accessor := r.PathValue("accessor")
	if accessor == "" {
		return nil, badRequest("Missing token AccessorID")
	}
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("token", accessor); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		token := r.dc.directory(view).token(accessor)
		if token == nil {
			return nil, 0, errNoToken()
		}
		r.hideSecret(token)
		return r.shown(view, token), tokenIndexes(view), nil
	})
}

// hideSecret hides a token's secret from a caller who may only read. The token
// is a copy of the caller's own.
func (r *request) hideSecret(token *state.Token) {
	if !r.caller.may.Allows(acl.Write, acl.ACL, "") {
		token.SecretID = hidden
	}
}

// expandedToken is a token with all that it stands for.
type expandedToken struct {
	*state.Token
	ExpandedPolicies          []*state.Policy
	ExpandedRoles             []*state.Role
	NamespaceDefaultPolicyIDs []string
	NamespaceDefaultRoleIDs   []string
	AgentACLDefaultPolicy     string
	AgentACLDownPolicy        string
	ResolvedByAgent           string
}

// shown is the token as the request wants to see it.
func (r *request) shown(view *state.View, token *state.Token) any {
	if !r.has("expanded") {
		return token
	}
	policies, roles := r.dc.directory(view).expand(token)
	return expandedToken{
		Token:                 token,
		ExpandedPolicies:      policies,
		ExpandedRoles:         roles,
		AgentACLDefaultPolicy: r.dc.consul.options.ACL.defaultPolicy(),
		AgentACLDownPolicy:    "extend-cache",
		ResolvedByAgent:       r.agent.options.Node,
	}
}

func listTokens(r *request) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	wanted, err := r.tokenFilter()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*state.Token{}
		for _, token := range r.dc.directory(view).tokens() {
			if wanted(token) {
				r.hideSecret(token)
				list = append(list, token)
			}
		}
		return list, tokenIndexes(view), nil
	})
}

// tokenFilter says which tokens the request wants.
func (r *request) tokenFilter() (wanted func(*state.Token) bool, err error) {
	policy, role := r.query.Get("policy"), r.query.Get("role")
	service, method := r.query.Get("servicename"), r.query.Get("authmethod")
	given := slices.DeleteFunc([]string{policy, role, service, method}, func(s string) bool { return s == "" })
	if len(given) > 1 {
		return nil, errText("can only filter by one of policy, role, serviceName, or methodName at a time")
	}
	switch {
	case policy != "":
		return func(t *state.Token) bool { return state.Linked(t.Policies, policy) }, checkLookup("token", policy)
	case role != "":
		return func(t *state.Token) bool { return state.Linked(t.Roles, role) }, checkLookup("token", role)
	case service != "":
		return func(t *state.Token) bool { return isOfService(t, service) }, nil
	case method != "":
		return func(t *state.Token) bool { return state.SameName(t.AuthMethod, method) }, nil
	default:
		return func(*state.Token) bool { return true }, nil
	}
}

// isOfService tells whether a token has the identity of a service.
func isOfService(t *state.Token, service string) bool {
	return slices.ContainsFunc(t.ServiceIdentities, func(s state.ServiceIdentity) bool {
		return s.ServiceName == service
	}) || slices.ContainsFunc(t.TemplatedPolicies, func(p state.TemplatedPolicy) bool {
		return p.TemplateName == acl.ServiceTemplate && p.TemplateVariables.Name == service
	})
}
