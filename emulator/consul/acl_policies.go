package consul

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func policyRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/policies", inPrimary(listPolicies)),
		faithful(http.MethodPut, "/v1/acl/policy", inPrimary(putPolicy)),
		faithful(http.MethodGet, "/v1/acl/policy/{id...}", inPrimary(getPolicy)),
		faithful(http.MethodPut, "/v1/acl/policy/{id...}", inPrimary(putPolicy)),
		faithful(http.MethodDelete, "/v1/acl/policy/{id...}", inPrimary(deletePolicy)),
		faithful(http.MethodGet, "/v1/acl/policy/name/{name...}", inPrimary(getPolicyNamed)),
	}
}

// policyEntry is a policy as lists have it.
type policyEntry struct {
	ID          string
	Name        string
	Description string
	Datacenters []string
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func listPolicies(r *request) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []policyEntry{}
		for p := range store.All[state.Policy](view, state.TablePolicies, "name") {
			list = append(list, policyEntry{
				p.ID, p.Name, p.Description, p.Datacenters, p.Hash, p.CreateIndex, p.ModifyIndex,
			})
		}
		return list, view.Index(state.TablePolicies), nil
	})
}

func getPolicy(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing policy ID")
	}
	return r.findPolicy(func(view *state.View) (*state.Policy, error) {
		return view.Policy(id), checkLookup("policy", id)
	})
}

func getPolicyNamed(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing policy Name")
	}
	name, err := url.QueryUnescape(name) // the official client has escaped it twice
	if err != nil {
		return nil, err
	}
	return r.findPolicy(func(view *state.View) (*state.Policy, error) {
		return view.PolicyNamed(name), nil
	})
}

func (r *request) findPolicy(find func(*state.View) (*state.Policy, error)) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		policy, err := find(view)
		if err != nil {
			return nil, 0, err
		}
		if policy == nil {
			return nil, view.Index(state.TablePolicies), notFound("Requested policy does not exist: " + aclNotFound)
		}
		return policy, policy.ModifyIndex, nil
	})
}

// putPolicy creates a policy, or changes the one that the path names.
func putPolicy(r *request) (any, error) {
	var policy state.Policy
	if err := r.decodeKnown(&policy, "Policy decoding failed"); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	switch {
	case id == "" && policy.ID != "":
		return nil, badRequest("Cannot specify the ID when creating a new policy")
	case policy.ID != "" && policy.ID != id:
		return nil, badRequest("Policy ID in URL and payload do not match")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	policy.ID = id
	var stored *state.Policy
	err := r.write(func(tx *state.Tx) error {
		if err := preparePolicy(&tx.View, &policy); err != nil {
			return err
		}
		stored = tx.PutPolicy(policy)
		return nil
	})
	return stored, err
}

// preparePolicy checks a policy, without an ID if it is new, and then makes one.
func preparePolicy(view *state.View, policy *state.Policy) error {
	var old *state.Policy
	if policy.ID != "" {
		old = view.Policy(policy.ID)
	}
	// A built-in policy may keep a name that others cannot have.
	if old == nil || old.Name != policy.Name {
		if err := checkPolicyName(policy.Name); err != nil {
			return errText("Invalid Policy: %v", err)
		}
	}
	named := view.PolicyNamed(policy.Name)
	if policy.ID == "" {
		if named != nil {
			return errText("Invalid Policy: A Policy with Name %q already exists", policy.Name)
		}
		policy.ID = uuid.NewString()
	} else if err := checkPolicyChange(old, named, policy); err != nil {
		return err
	}
	_, err := acl.Parse(policy.Rules)
	return err
}

func checkPolicyChange(old, named, policy *state.Policy) error {
	switch {
	case !isUUID(policy.ID):
		return errText("Policy ID invalid UUID")
	case old == nil:
		return errText("cannot find policy %s", policy.ID)
	case named != nil && named.ID != old.ID:
		return errText("Invalid Policy: A policy with name %q already exists", policy.Name)
	case !builtin(old):
		return nil
	case policy.Rules != old.Rules:
		return errText("Changing the Rules for the builtin %s policy is not permitted", old.Name)
	case len(policy.Datacenters) > 0:
		return errText("Changing the Datacenters of the %s policy is not permitted", old.Name)
	default:
		return nil
	}
}

var policyNames = regexp.MustCompile(`^[A-Za-z0-9_-]+/?[A-Za-z0-9_-]*$`)

// checkPolicyName is an error unless a policy can be given the name.
func checkPolicyName(name string) error {
	const longest = 128
	switch {
	case name == "":
		return errText("no Name is set")
	case len(name) > longest:
		return errText("invalid Name. Length must be greater than 0 and less than %d", longest)
	case strings.HasPrefix(name, "/"), strings.HasPrefix(name, "builtin/"):
		return errText("invalid Name. Names cannot be prefixed with '/' or 'builtin/'")
	case !policyNames.MatchString(name):
		return errText("invalid Name. Only alphanumeric characters, a single '/', '-' and '_' are allowed")
	default:
		return nil
	}
}

func builtin(p *state.Policy) bool {
	return p.ID == state.ManagementPolicyID || p.ID == state.ReadOnlyPolicyID
}

func deletePolicy(r *request) (any, error) {
	id := r.PathValue("id")
	if id == "" {
		return nil, badRequest("Missing policy ID")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("policy", id); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error {
		policy := tx.Policy(id)
		if policy == nil {
			return notFound("Cannot find policy to delete")
		}
		if builtin(policy) {
			return errText("Delete operation not permitted on the builtin %s policy", policy.Name)
		}
		tx.Delete(state.TablePolicies, policy)
		return nil
	})
	return true, err
}
