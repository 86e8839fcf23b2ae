package consul

import (
	"net/http"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func templatedPolicyRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/acl/templated-policies", listTemplatedPolicies),
		faithful(http.MethodGet, "/v1/acl/templated-policy/name/{name...}", getTemplatedPolicy),
		faithful(http.MethodPost, "/v1/acl/templated-policy/preview/{name...}", previewTemplatedPolicy),
	}
}

// templatedPolicy is a templated policy as the API shows it.
type templatedPolicy struct {
	TemplateName string
	Schema       string
	Template     string
	Description  string
}

func shownTemplate(t acl.TemplatedPolicy) templatedPolicy {
	return templatedPolicy{t.Name, t.Schema, t.Template, t.Description}
}

func listTemplatedPolicies(r *request) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	all := map[string]templatedPolicy{}
	for _, t := range acl.TemplatedPolicies() {
		all[t.Name] = shownTemplate(t)
	}
	return all, nil
}

func getTemplatedPolicy(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing templated policy Name")
	}
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	template, ok := acl.FindTemplatedPolicy(name)
	if !ok {
		return nil, badRequest("Invalid templated policy Name: %s", name)
	}
	return shownTemplate(template), nil
}

// previewTemplatedPolicy shows what a template becomes with variables.
func previewTemplatedPolicy(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing templated policy Name")
	}
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	var asked state.TemplateVariables
	if err := r.decodeKnown(&asked, "Failed to decode request body"); err != nil {
		return nil, err
	}
	template, ok := acl.FindTemplatedPolicy(name)
	if !ok {
		return nil, badRequest("templated policy %q does not exist", name)
	}
	if err := template.Validate(variables(&asked)); err != nil {
		return nil, badRequest("validation error for templated policy: %q: %v", name, err)
	}
	return policyOf(template.Policy(variables(&asked), nil)), nil
}

// policyOf is a policy that nobody wrote as the API shows it.
func policyOf(p acl.SyntheticPolicy) *state.Policy {
	return &state.Policy{
		ID: p.ID, Name: p.Name, Description: p.Description, Rules: p.Rules, Datacenters: p.Datacenters, Hash: p.Hash,
	}
}
