package consul

import (
	"cmp"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// directory is a look at the tokens that hold in a datacenter: its local ones,
// and those of the primary datacenter, where all policies and roles are. Tokens
// that have expired are not in it.
type directory struct {
	own, primary *state.View
}

func (d *datacenter) directory(own *state.View) directory {
	return directory{own, d.policies(own)}
}

// token finds a token by its accessor; nil when there is none.
func (l directory) token(accessor string) *state.Token {
	return l.first(func(v *state.View) *state.Token { return v.Token(accessor) })
}

// tokenOf finds a token by its secret; nil when there is none.
func (l directory) tokenOf(secret string) *state.Token {
	return l.first(func(v *state.View) *state.Token { return v.TokenOf(secret) })
}

func (l directory) first(find func(*state.View) *state.Token) *state.Token {
	token := find(l.own)
	if token == nil && l.own != l.primary {
		if token = find(l.primary); token != nil && token.Local {
			return nil
		}
	}
	if token == nil || token.Expired(time.Now()) {
		return nil
	}
	return l.primary.CurrentToken(token)
}

// taken tells whether a token has the UUID for accessor or secret.
func (l directory) taken(id string) bool { return l.token(id) != nil || l.tokenOf(id) != nil }

// tokens are all tokens, sorted by their secrets.
func (l directory) tokens() []*state.Token {
	list := slices.Collect(store.All[state.Token](l.own, state.TableTokens, "secret"))
	if l.own != l.primary {
		for token := range store.All[state.Token](l.primary, state.TableTokens, "secret") {
			if !token.Local {
				list = append(list, token)
			}
		}
		slices.SortFunc(list, func(a, b *state.Token) int { return cmp.Compare(a.SecretID, b.SecretID) })
	}
	now := time.Now()
	list = slices.DeleteFunc(list, func(t *state.Token) bool { return t.Expired(now) })
	for i, token := range list {
		list[i] = l.primary.CurrentToken(token)
	}
	return list
}

// expand finds the roles of a token, and the policies that it and its roles
// have or stand for.
func (l directory) expand(token *state.Token) (policies []*state.Policy, roles []*state.Role) {
	links := slices.Clone(token.Policies)
	for _, link := range token.Roles {
		if role := l.primary.Role(link.ID); role != nil {
			role = l.primary.CurrentRole(role)
			roles = append(roles, role)
			links = append(links, role.Policies...)
		}
	}
	slices.SortFunc(links, func(a, b state.Link) int { return cmp.Compare(a.ID, b.ID) })
	for _, link := range slices.Compact(links) {
		if policy := l.primary.Policy(link.ID); policy != nil {
			policies = append(policies, policy)
		}
	}
	return append(policies, synthetic(token, roles)...), roles
}

// synthetic are the policies that a token and its roles stand for, without
// having been written.
func synthetic(token *state.Token, roles []*state.Role) []*state.Policy {
	var list []*state.Policy
	add := func(p acl.SyntheticPolicy) {
		known := slices.ContainsFunc(list, func(have *state.Policy) bool {
			return have.ID == p.ID && slices.Equal(have.Datacenters, p.Datacenters)
		})
		if !known {
			list = append(list, policyOf(p))
		}
	}
	all := []grants{{token.ServiceIdentities, token.NodeIdentities, token.TemplatedPolicies}}
	for _, role := range roles {
		all = append(all, grants{role.ServiceIdentities, role.NodeIdentities, role.TemplatedPolicies})
	}
	for _, g := range all {
		for _, s := range g.services {
			add(acl.ServiceIdentity(s.ServiceName, s.Datacenters))
		}
		for _, n := range g.nodes {
			add(acl.NodeIdentity(n.NodeName, n.Datacenter))
		}
	}
	for _, g := range all {
		for _, t := range g.templated {
			if template, ok := acl.FindTemplatedPolicy(t.TemplateName); ok {
				add(template.Policy(variables(t.TemplateVariables), t.Datacenters))
			}
		}
	}
	return list
}
