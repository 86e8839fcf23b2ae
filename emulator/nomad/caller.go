package nomad

import (
	"net/http"
	"time"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// caller is who makes a request, and what it may do.
type caller struct {
	may      *acl.Authorizer
	token    *state.ACLToken // nil for workloads and nodes, and when there are no ACLs
	workload *workload       // nil for all others
	policies []string        // the names of those that the caller holds
}

// workload is an allocation, or a task of it, that shows its identity.
type workload struct{ namespace, job, group, task string }

// anonymous is who shows no token; it holds the policy of that name.
const anonymous = "anonymous"

// identify resolves the request's token, once.
func (r *request) identify() (*caller, error) {
	if r.caller == nil {
		resolved, err := r.resolve()
		if err != nil {
			return nil, errDenied // why, only /v1/acl/token/self tells
		}
		r.caller = resolved
	}
	return r.caller, nil
}

// resolve finds out whose the request's token is.
func (r *request) resolve() (*caller, error) {
	switch {
	case !r.region.nomad.options.ACL:
		return &caller{may: acl.Management()}, nil
	case r.token == "":
		return r.holder(anonymousToken())
	}
	if token := r.region.tokenOf(r.token); token != nil {
		if token.Expired(time.Now()) {
			return nil, fail(http.StatusInternalServerError, "ACL token expired")
		}
		return r.holder(token)
	}
	view := r.region.store.View()
	if view.NodeBySecret(r.token) != nil {
		return nodeCaller(), nil
	}
	if isUUID(r.token) {
		return nil, errDenied
	}
	claims, err := r.region.keys.Verify(r.token, time.Now())
	if err != nil {
		return nil, err
	}
	if claims.Node != "" {
		return nodeCaller(), nil
	}
	return r.workloadCaller(view, claims)
}

func anonymousToken() *state.ACLToken {
	return &state.ACLToken{
		AccessorID: anonymous, Name: "Anonymous Token", Type: state.ACLClientToken, Policies: []string{anonymous},
	}
}

// tokenOf finds the token with the secret: one of the region or, if it holds
// everywhere, of the authoritative one.
func (r *region) tokenOf(secret string) *state.ACLToken {
	if token := r.store.View().ACLTokenOf(secret); token != nil {
		return token
	}
	if token := r.authority().store.View().ACLTokenOf(secret); token != nil && token.Global {
		return token
	}
	return nil
}

// authority is the region that has the policies, roles and auth methods of all.
func (r *region) authority() *region { return r.nomad.regions[0] }

// holder is the caller who shows a token.
func (r *request) holder(token *state.ACLToken) (*caller, error) {
	if token.Type == state.ACLManagementToken {
		return &caller{may: acl.Management(), token: token}, nil
	}
	view := r.region.authority().store.View()
	names := append([]string(nil), token.Policies...)
	for _, link := range token.Roles {
		if role := view.ACLRole(link.ID); role != nil {
			for _, policy := range role.Policies {
				names = append(names, policy.Name)
			}
		}
	}
	may, err := r.region.nomad.authorizer(view, names)
	return &caller{may: may, token: token, policies: names}, err
}

// authorizer is what the policies allow together; those that are not there allow nothing.
func (n *Nomad) authorizer(view *state.View, names []string) (*acl.Authorizer, error) {
	var policies []*acl.Policy
	for _, name := range names {
		row := view.ACLPolicy(name)
		if row == nil {
			continue
		}
		policy, err := n.policies.Parse(row.Rules)
		if err != nil {
			return nil, err
		}
		policies = append(policies, policy)
	}
	return acl.New(policies...), nil
}

// workloadCaller is an allocation that shows its identity, which ends with it.
func (r *request) workloadCaller(view *state.View, claims *keyring.Claims) (*caller, error) {
	allocation := view.Allocation(claims.Allocation)
	if allocation == nil {
		return nil, fail(http.StatusInternalServerError, "allocation does not exist")
	}
	if allocation.Terminal() {
		return nil, fail(http.StatusInternalServerError, "allocation is terminal")
	}
	policies, known := r.region.authority().store.View(), identityJob(allocation)
	var names []string
	for policy := range policies.ACLPoliciesOfJobs(allocation.Namespace) {
		if job := policy.JobACL; (job.JobID == "" || job.JobID == known) &&
			(job.Group == "" || job.Group == allocation.TaskGroup) && (job.Task == "" || job.Task == claims.Task) {
			names = append(names, policy.Name)
		}
	}
	may, err := r.region.nomad.authorizer(policies, names)
	own := &workload{allocation.Namespace, known, allocation.TaskGroup, claims.Task}
	return &caller{may: may, workload: own, policies: names}, err
}

// nodeCaller is a node that shows its secret: it may read about nodes and agents.
func nodeCaller() *caller {
	return &caller{may: acl.New(&acl.Policy{
		Node: &acl.NodePolicy{Policy: string(acl.Read)}, Agent: &acl.AgentPolicy{Policy: string(acl.Read)},
	})}
}

// variable tells whether the caller has the capability for a variable: by its
// policies or, if it is a workload, because the variable is its own.
func (c *caller) variable(namespace, path string, capability acl.Capability) bool {
	if c.may.Variable(namespace, path, capability) {
		return true
	}
	reads := capability == acl.ReadVariable || capability == acl.ListVariable
	return reads && c.workload != nil && namespace == c.workload.namespace && c.workload.owns(path)
}

// owns tells whether the path is nomad/jobs, or that of the workload's job,
// group or task below it.
func (w *workload) owns(path string) bool {
	own := "nomad/jobs"
	for _, part := range []string{w.job, w.group, w.task} {
		if path == own {
			return true
		}
		if part == "" {
			return false
		}
		own += "/" + part
	}
	return path == own
}
