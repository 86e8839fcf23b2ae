package nomad

import (
	"fmt"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/identity"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// bind gives a token what the rules of an auth method bind to an identity, of
// what is there. It is an error when that is nothing.
func bind(view *state.View, method string, to *identity.Identity, token *state.ACLToken) error {
	token.Type = state.ACLClientToken
	for rule := range view.ACLBindingRulesOf(method) {
		matches, err := to.Matches(rule.Selector)
		if err != nil || !matches {
			continue // a selector that names what nobody has selects nobody
		}
		if rule.BindType == api.ACLBindingRuleBindTypeManagement {
			token.Type, token.Policies, token.Roles = state.ACLManagementToken, nil, nil
			return nil
		}
		if err := bindRule(view, rule, to, token); err != nil {
			return err
		}
	}
	if len(token.Policies)+len(token.Roles) == 0 {
		return badRequest("no role or policy bindings matched")
	}
	return nil
}

func bindRule(view *state.View, rule *state.ACLBindingRule, to *identity.Identity, token *state.ACLToken) error {
	name, err := to.Fill(rule.BindName)
	if err != nil {
		return fmt.Errorf("cannot compute %q bind name for bind target: %w", rule.BindType, err)
	}
	if !aclNames().MatchString(name) {
		return fmt.Errorf("computed %q bind name for bind target is invalid: %q", rule.BindType, name)
	}
	if rule.BindType == api.ACLBindingRuleBindTypePolicy {
		if view.ACLPolicy(name) != nil && !slices.Contains(token.Policies, name) {
			token.Policies = append(token.Policies, name)
		}
		return nil
	}
	role := view.ACLRoleNamed(name)
	if role != nil && !slices.ContainsFunc(token.Roles, func(l *api.ACLTokenRoleLink) bool { return l.ID == role.ID }) {
		token.Roles = append(token.Roles, &api.ACLTokenRoleLink{ID: role.ID, Name: role.Name})
	}
	return nil
}
