package consul

import (
	"slices"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// grants are what a token or role is allowed other than by policies.
type grants struct {
	services  []state.ServiceIdentity
	nodes     []state.NodeIdentity
	templated []state.TemplatedPolicy
}

// holder is what grants are given to, as error messages name it.
type holder string

const (
	ofToken holder = "token"
	ofRole  holder = "role"
)

// check is an error unless the grants can be given; local is whether that is to
// a token of one datacenter. It returns them without those that come again, and
// completed.
func (g grants) check(of holder, local bool) (grants, error) {
	for _, s := range g.services {
		if err := checkServiceIdentity(s, of, local); err != nil {
			return g, err
		}
	}
	for _, n := range g.nodes {
		if err := checkNodeIdentity(n, of); err != nil {
			return g, err
		}
	}
	templated := slices.Clone(g.templated)
	for i := range templated {
		if err := completeTemplated(&templated[i], of); err != nil {
			return g, err
		}
	}
	return grants{mergeServices(g.services), mergeNodes(g.nodes), mergeTemplated(templated)}, nil
}

func checkServiceIdentity(s state.ServiceIdentity, of holder, local bool) error {
	switch {
	case s.ServiceName == "":
		return errText("Service identity is missing the service name field on this %s", of)
	case local && len(s.Datacenters) > 0:
		return errText("Service identity %q cannot specify a list of datacenters on a local token", s.ServiceName)
	case !acl.ValidIdentityName(s.ServiceName):
		return errText("Service identity %q has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed",
			s.ServiceName)
	default:
		return nil
	}
}

func checkNodeIdentity(n state.NodeIdentity, of holder) error {
	switch {
	case n.NodeName == "":
		return errText("Node identity is missing the node name field on this %s", of)
	case n.Datacenter == "":
		return errText("Node identity is missing the datacenter field on this %s", of)
	case !acl.ValidIdentityName(n.NodeName):
		return errText("Node identity has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed")
	default:
		return nil
	}
}

// completeTemplated checks a templated policy and gives it its template's ID.
func completeTemplated(t *state.TemplatedPolicy, of holder) error {
	if t.TemplateName == "" {
		return errText("templated policy is missing the template name field on this %s", of)
	}
	template, ok := acl.FindTemplatedPolicy(t.TemplateName)
	switch {
	case !ok && of == ofRole:
		return errText("templated policy with an invalid templated name: %s for this role", t.TemplateName)
	case !ok:
		return errText("no such ACL templated policy with Name %q", t.TemplateName)
	}
	if err := template.Validate(variables(t.TemplateVariables)); err != nil {
		if of == ofRole {
			return errText("encountered role with invalid templated policy: %v", err)
		}
		return errText("validation error for templated policy %q: %v", t.TemplateName, err)
	}
	t.TemplateID = template.ID
	return nil
}

// variables are those of a templated policy as package acl takes them.
func variables(v *state.TemplateVariables) *acl.TemplateVariables {
	if v == nil {
		return nil
	}
	return &acl.TemplateVariables{Name: v.Name}
}

// mergeServices makes one identity of all that have the same service: where
// any of them holds. An identity of all datacenters among others adds none, as in Consul.
func mergeServices(list []state.ServiceIdentity) []state.ServiceIdentity {
	var merged []state.ServiceIdentity
	for _, s := range list {
		i := slices.IndexFunc(merged, func(m state.ServiceIdentity) bool { return m.ServiceName == s.ServiceName })
		if i < 0 {
			merged = append(merged, s)
			continue
		}
		merged[i].Datacenters = union(merged[i].Datacenters, s.Datacenters)
	}
	return merged
}

func mergeNodes(list []state.NodeIdentity) []state.NodeIdentity {
	var merged []state.NodeIdentity
	for _, n := range list {
		if !slices.Contains(merged, n) {
			merged = append(merged, n)
		}
	}
	return merged
}

func mergeTemplated(list []state.TemplatedPolicy) []state.TemplatedPolicy {
	var merged []state.TemplatedPolicy
	for _, t := range list {
		i := slices.IndexFunc(merged, func(m state.TemplatedPolicy) bool {
			return m.TemplateID == t.TemplateID && sameVariables(m.TemplateVariables, t.TemplateVariables)
		})
		if i < 0 {
			merged = append(merged, t)
			continue
		}
		merged[i].Datacenters = union(merged[i].Datacenters, t.Datacenters)
	}
	return merged
}

func sameVariables(a, b *state.TemplateVariables) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// union is the sorted names of both lists, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
