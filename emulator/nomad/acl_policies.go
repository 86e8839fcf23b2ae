package nomad

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// aclNames are those that policies, roles and auth methods may have.
var aclNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-]{1,128}$") })

// maxDescription is how long the description of a thing may be.
const maxDescription = 256

// policyStub is a policy as lists have it.
type policyStub struct {
	Name        string
	Description string
	JobACL      *api.JobACL
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func stubOfPolicy(p *state.ACLPolicy) *policyStub {
	return &policyStub{p.Name, p.Description, p.JobACL, p.Hash, p.CreateIndex, p.ModifyIndex}
}

// aclPolicies lists the policies: all of them, or those that the caller holds.
func (r *request) aclPolicies() (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if c.token == nil && c.workload == nil {
		return nil, errDenied
	}
	return r.policiesOf(c)
}

// ownACLPolicies lists the policies that the caller holds.
func (r *request) ownACLPolicies() (any, error) {
	c, err := r.identify()
	switch {
	case err != nil:
		return nil, err
	case !r.region.nomad.options.ACL && isUUID(r.token):
		return nil, errACLsDisabled
	case c.workload != nil && len(c.policies) == 0:
		return text("null"), nil
	case c.workload == nil && (c.token == nil || c.token.AccessorID == anonymous):
		return nil, errDenied
	}
	return r.policiesOf(c)
}

func (r *request) policiesOf(c *caller) (any, error) {
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*policyStub{}
		for p := range view.ACLPolicies(r.query.Get("prefix")) {
			if c.holds(p.Name) {
				list = append(list, stubOfPolicy(p))
			}
		}
		return list, tableIndex(view, state.TableACLPolicies), nil
	})
}

// holds tells whether the caller holds the policy; management holds all.
func (c *caller) holds(policy string) bool {
	return c.may.IsManagement() || slices.Contains(c.policies, policy)
}

func (r *request) aclPolicy() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing Policy Name")
	}
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if !c.holds(name) {
		return nil, errDenied
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		p := view.ACLPolicy(name)
		if p == nil {
			return nil, tableIndex(view, state.TableACLPolicies), notFound("ACL policy not found")
		}
		rules, err := r.region.nomad.policies.Parse(p.Rules)
		return struct {
			*state.ACLPolicy
			RulesJSON *acl.Policy
		}{p, rules}, p.ModifyIndex, err
	})
}

func (r *request) putACLPolicy() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing Policy Name")
	}
	policy := &state.ACLPolicy{}
	if err := r.decode(policy); err != nil {
		return nil, err
	}
	if policy.Name != name {
		return nil, badRequest("ACL policy name does not match request path")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if err := checkPolicy(policy); err != nil {
		return nil, badRequest("policy 0 invalid: %v", err)
	}
	return nil, r.write(func(tx *state.Tx) error {
		tx.UpsertACLPolicy(policy)
		return nil
	})
}

// checkPolicy finds everything that is wrong with a policy.
func checkPolicy(p *state.ACLPolicy) error {
	var problems *multierror.Error
	if !aclNames().MatchString(p.Name) {
		problems = multierror.Append(problems, fmt.Errorf("invalid name '%s'", p.Name))
	}
	if _, err := acl.Parse(p.Rules); err != nil {
		problems = multierror.Append(problems, fmt.Errorf("failed to parse rules: %w", err))
	}
	if len(p.Description) > maxDescription {
		problems = multierror.Append(problems, fmt.Errorf("description longer than %d", maxDescription))
	}
	if job := p.JobACL; job != nil {
		if job.JobID != "" && job.Namespace == "" {
			problems = multierror.Append(problems, errors.New("namespace must be set to set job ID"))
		}
		if job.Group != "" && job.JobID == "" {
			problems = multierror.Append(problems, errors.New("job ID must be set to set group"))
		}
		if job.Task != "" && job.Group == "" {
			problems = multierror.Append(problems, errors.New("group must be set to set task"))
		}
	}
	return problems.ErrorOrNil()
}

func (r *request) deleteACLPolicy() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing Policy Name")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error {
		tx.DeleteACLPolicy(name)
		return nil
	})
}
