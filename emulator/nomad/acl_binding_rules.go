package nomad

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/hashicorp/go-bexpr"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// bindingRuleStub is a binding rule as lists have it.
type bindingRuleStub struct {
	ID          string
	Description string
	AuthMethod  string
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func (r *request) bindingRules() (any, error) {
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*bindingRuleStub{}
		for rule := range view.ACLBindingRules() {
			list = append(list, &bindingRuleStub{
				rule.ID, rule.Description, rule.AuthMethod, rule.Hash, rule.CreateIndex, rule.ModifyIndex,
			})
		}
		return list, tableIndex(view, state.TableACLBindingRules), nil
	})
}

func (r *request) bindingRule() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("missing ACL binding rule ID")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rule := view.ACLBindingRule(id)
		if rule == nil {
			return nil, tableIndex(view, state.TableACLBindingRules), notFound("ACL binding rule not found")
		}
		return rule, rule.ModifyIndex, nil
	})
}

// putBindingRule creates a binding rule, or changes the one that the path names.
func (r *request) putBindingRule() (any, error) {
	rule := &state.ACLBindingRule{}
	if err := r.decode(rule); err != nil {
		return nil, err
	}
	if id := r.PathValue("id"); id != "" {
		if rule.ID != "" && rule.ID != id {
			return nil, badRequest("ACL binding rule ID does not match request path")
		}
		rule.ID = id
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return rule, r.write(func(tx *state.Tx) error {
		if err := prepareBindingRule(tx, rule); err != nil {
			return err
		}
		if err := checkBindingRule(rule); err != nil {
			return badRequest("binding rule 0 invalid: %v", err)
		}
		if tx.ACLAuthMethod(rule.AuthMethod) == nil {
			return badRequest("ACL auth method %s not found", rule.AuthMethod)
		}
		tx.UpsertACLBindingRule(rule)
		return nil
	})
}

// prepareBindingRule gives a new rule an ID, and one that changes what is not
// given of it.
func prepareBindingRule(tx *state.Tx, rule *state.ACLBindingRule) error {
	if rule.ID == "" {
		rule.ID = uuid.NewString()
		return nil
	}
	old := tx.ACLBindingRule(rule.ID)
	switch {
	case old == nil:
		return badRequest("cannot find binding rule %s", rule.ID)
	case rule.AuthMethod == "":
		rule.AuthMethod = old.AuthMethod
	case rule.AuthMethod != old.AuthMethod:
		return badRequest("cannot update auth method for binding rule, create a new rule instead")
	}
	if rule.BindType == "" {
		rule.BindType = old.BindType
	}
	if rule.BindName == "" {
		rule.BindName = old.BindName
	}
	return nil
}

// checkBindingRule finds everything that is wrong with a rule.
func checkBindingRule(rule *state.ACLBindingRule) error {
	var problems *multierror.Error
	add := func(problem error) { problems = multierror.Append(problems, problem) }
	if rule.AuthMethod == "" {
		add(errors.New("auth method is missing"))
	}
	switch rule.BindType {
	case "":
		add(errors.New("bind type is missing"))
	case api.ACLBindingRuleBindTypeRole, api.ACLBindingRuleBindTypePolicy:
		if rule.BindName == "" {
			add(errors.New("bind name is missing"))
		}
	case api.ACLBindingRuleBindTypeManagement:
		if rule.BindName != "" {
			add(errors.New("bind name should be empty"))
		}
	default:
		add(fmt.Errorf("unsupported bind type: %q", rule.BindType))
	}
	if rule.Selector != "" {
		if _, err := bexpr.CreateEvaluator(rule.Selector); err != nil {
			add(fmt.Errorf("selector is invalid: %w", err))
		}
	}
	if len(rule.Description) > maxDescription {
		add(fmt.Errorf("description longer than %d", maxDescription))
	}
	return problems.ErrorOrNil()
}

func (r *request) deleteBindingRule() (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("missing ACL binding rule ID")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error {
		rule := tx.ACLBindingRule(id)
		if rule == nil {
			return errors.New("ACL binding rule not found")
		}
		tx.DeleteACLBindingRule(rule)
		return nil
	})
}
