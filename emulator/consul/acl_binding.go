package consul

import (
	"fmt"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/identity"
)

// binding is what binding rules give to somebody who logs in.
type binding struct {
	datacenter string // that node identities are of
	policies   []string
	roles      []string
	grants
}

// bindingOf works out what rules give to an identity.
func bindingOf(datacenter string, rules []*state.BindingRule, to *identity.Identity) (binding, error) {
	b := binding{datacenter: datacenter}
	for _, rule := range rules {
		matches, err := to.Matches(rule.Selector)
		if err != nil {
			return b, fmt.Errorf("work out the selector of binding rule %s: %w", rule.ID, err)
		}
		if !matches {
			continue
		}
		if err := b.add(to, rule); err != nil {
			return b, err
		}
	}
	return b, nil
}

func knownBinding(kind api.BindingRuleBindType) bool {
	switch kind {
	case api.BindingRuleBindTypeService, api.BindingRuleBindTypeNode, api.BindingRuleBindTypePolicy,
		api.BindingRuleBindTypeRole, api.BindingRuleBindTypeTemplatedPolicy:
		return true
	default:
		return false
	}
}

// add adds what a rule gives to an identity.
func (b *binding) add(to *identity.Identity, rule *state.BindingRule) error {
	if rule.BindType == api.BindingRuleBindTypeTemplatedPolicy {
		return b.addTemplated(to, rule)
	}
	name, err := to.Fill(rule.BindName)
	if err != nil {
		return errText("error interpreting template: %v", err)
	}
	switch rule.BindType {
	case api.BindingRuleBindTypePolicy:
		if !policyNames.MatchString(name) {
			return badBindName(name)
		}
		b.policies = append(b.policies, name)
	case api.BindingRuleBindTypeRole:
		if !roleNames().MatchString(name) {
			return badBindName(name)
		}
		b.roles = append(b.roles, name)
	default:
		return b.addIdentity(rule.BindType, strings.ToLower(name))
	}
	return nil
}

func badBindName(name string) error { return errText("invalid bind name: %q", name) }

func (b *binding) addIdentity(kind api.BindingRuleBindType, name string) error {
	if !acl.ValidIdentityName(name) {
		return badBindName(name)
	}
	if kind == api.BindingRuleBindTypeNode {
		b.nodes = append(b.nodes, state.NodeIdentity{NodeName: name, Datacenter: b.datacenter})
	} else {
		b.services = append(b.services, state.ServiceIdentity{ServiceName: name})
	}
	return nil
}

func (b *binding) addTemplated(to *identity.Identity, rule *state.BindingRule) error {
	template, ok := acl.FindTemplatedPolicy(rule.BindName)
	if !ok {
		return errText("Bind name for templated-policy bind type does not match existing template name: %s", rule.BindName)
	}
	policy := state.TemplatedPolicy{TemplateID: template.ID, TemplateName: template.Name}
	if rule.BindVars != nil {
		name, err := to.Fill(rule.BindVars.Name)
		if err != nil {
			return errText("failed to interpret templated policy variables: %v", err)
		}
		policy.TemplateVariables = &state.TemplateVariables{Name: strings.ToLower(name)}
	}
	if err := template.Validate(variables(policy.TemplateVariables)); err != nil {
		return errText("templated policy failed validation: %v", err)
	}
	b.templated = append(b.templated, policy)
	return nil
}

// token is one that has what was bound; false when that is nothing. Policies
// and roles that are not there are left out.
func (b *binding) token(policies *state.View) (token state.Token, any bool) {
	for _, name := range b.policies {
		if p := policies.PolicyNamed(name); p != nil && !state.Linked(token.Policies, p.ID) {
			token.Policies = append(token.Policies, state.Link{ID: p.ID, Name: p.Name})
		}
	}
	for _, name := range b.roles {
		if r := policies.RoleNamed(name); r != nil && !state.Linked(token.Roles, r.ID) {
			token.Roles = append(token.Roles, state.Link{ID: r.ID, Name: r.Name})
		}
	}
	token.ServiceIdentities = mergeServices(b.services)
	token.NodeIdentities = mergeNodes(b.nodes)
	token.TemplatedPolicies = mergeTemplated(b.templated)
	return token, len(token.Policies)+len(token.Roles)+len(b.services)+len(b.nodes)+len(b.templated) > 0
}
