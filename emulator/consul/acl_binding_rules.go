package consul

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/login"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/identity"
	"github.com/drydock/drydock/emulator/store"
)

func bindingRuleRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/binding-rules", listBindingRules),
		faithful(http.MethodPut, "/v1/acl/binding-rule", putBindingRule),
		faithful(http.MethodGet, "/v1/acl/binding-rule/{id...}", getBindingRule),
		faithful(http.MethodPut, "/v1/acl/binding-rule/{id...}", putBindingRule),
		faithful(http.MethodDelete, "/v1/acl/binding-rule/{id...}", deleteBindingRule),
	}
}

func listBindingRules(r *request) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		index := view.Index(state.TableBindingRules)
		if method := r.query.Get("authmethod"); method != "" {
			return store.Collect[state.BindingRule](view, state.TableBindingRules, "method", method), index, nil
		}
		return store.Collect[state.BindingRule](view, state.TableBindingRules, "id"), index, nil
	})
}

func getBindingRule(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing binding rule ID")
	}
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("binding rule", id); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rule := view.BindingRule(id)
		if rule == nil {
			return nil, view.Index(state.TableBindingRules), notFound("Requested binding rule does not exist: " + aclNotFound)
		}
		return rule, rule.ModifyIndex, nil
	})
}

// putBindingRule creates a binding rule, or changes the one that the path names.
func putBindingRule(r *request) (any, error) {
	var rule state.BindingRule
	if err := r.decodeKnown(&rule, "BindingRule decoding failed"); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if rule.ID != "" && rule.ID != id {
		return nil, badRequest("BindingRule ID in URL and payload do not match")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	rule.ID = id
	var stored *state.BindingRule
	err := r.write(func(tx *state.Tx) error {
		if err := prepareBindingRule(&tx.View, &rule); err != nil {
			return err
		}
		stored = tx.PutBindingRule(rule)
		return nil
	})
	return stored, err
}

// prepareBindingRule checks a binding rule, without an ID if it is new, and
// then makes one.
func prepareBindingRule(view *state.View, rule *state.BindingRule) error {
	if rule.ID == "" {
		rule.ID = uuid.NewString()
	} else if err := checkBindingRuleChange(view, rule); err != nil {
		return err
	}
	if rule.AuthMethod == "" {
		return errText("Invalid Binding Rule: no AuthMethod is set")
	}
	method := view.AuthMethod(rule.AuthMethod)
	if method == nil {
		return errText("cannot find auth method with name %q", rule.AuthMethod)
	}
	with, err := login.Parse(method.Type, method.Config)
	if err != nil {
		return fmt.Errorf("auth method %s: %w", method.Name, err)
	}
	switch blank := with.Blank(); {
	case rule.BindType == "":
		return errText("Invalid Binding Rule: no BindType is set")
	case rule.BindName == "":
		return errText("Invalid Binding Rule: no BindName is set")
	case rule.BindVars != nil && rule.BindType != api.BindingRuleBindTypeTemplatedPolicy:
		return errText("invalid Binding Rule: BindVars cannot be set when bind type is not templated-policy.")
	default:
		if err := blank.CheckSelector(rule.Selector); err != nil {
			return errText("invalid Binding Rule: Selector is invalid: %v", err)
		}
		if err := checkBinding(blank, rule); err != nil {
			return errText("Invalid Binding Rule: invalid BindName or BindVars: %v", err)
		}
		return nil
	}
}

// checkBindingRuleChange is an error unless the rule is there and stays with its
// auth method, which it may leave out.
func checkBindingRuleChange(view *state.View, rule *state.BindingRule) error {
	if !isUUID(rule.ID) {
		return errText("Binding Rule ID invalid UUID")
	}
	old := view.BindingRule(rule.ID)
	switch {
	case old == nil:
		return errText("cannot find binding rule %s", rule.ID)
	case rule.AuthMethod == "":
		rule.AuthMethod = old.AuthMethod
	case rule.AuthMethod != old.AuthMethod:
		return errText("the AuthMethod field of an Binding Rule is immutable")
	}
	return nil
}

func checkBinding(blank *identity.Identity, rule *state.BindingRule) error {
	if !knownBinding(rule.BindType) {
		return fmt.Errorf("invalid Binding Rule: unknown BindType %q", rule.BindType)
	}
	const anything = "fake"
	if err := new(binding).add(blank.Filled(anything), rule); err != nil {
		return fmt.Errorf("failed to validate bindType %q: %w", rule.BindType, err)
	}
	return nil
}

func deleteBindingRule(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing binding rule ID")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("binding rule", id); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error {
		rule := tx.BindingRule(id)
		if rule == nil {
			return notFound("Cannot find binding rule to delete")
		}
		tx.Delete(state.TableBindingRules, rule)
		return nil
	})
	return true, err
}
