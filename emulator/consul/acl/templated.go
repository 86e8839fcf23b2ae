package acl

import (
	"fmt"
	"strings"
)

// The templated policies that every cluster has.
const (
	ServiceTemplate     = "builtin/service"
	NodeTemplate        = "builtin/node"
	DNSTemplate         = "builtin/dns"
	NomadServerTemplate = "builtin/nomad-server"
	APIGatewayTemplate  = "builtin/api-gateway"
	NomadClientTemplate = "builtin/nomad-client"
)

// TemplatedPolicy is a policy with a variable in it. Its fields, except ID, are
// those that the API shows.
type TemplatedPolicy struct {
	ID          string // shown as TemplateID where tokens and roles use it
	Name        string
	Description string
	Schema      string // JSON schema of the variables; empty where there are none
	Template    string // rules with {{.Name}} in them
}

// TemplateVariables is what a token or role puts into a templated policy.
type TemplateVariables struct {
	Name string
}

// TemplatedPolicies lists the templated policies, by name.
func TemplatedPolicies() []TemplatedPolicy {
	return []TemplatedPolicy{
		apiGatewayTemplate(), dnsTemplate(), nodeTemplate(),
		nomadClientTemplate(), nomadServerTemplate(), serviceTemplate(),
	}
}

// FindTemplatedPolicy finds the templated policy of that name.
func FindTemplatedPolicy(name string) (TemplatedPolicy, bool) {
	for _, t := range TemplatedPolicies() {
		if t.Name == name {
			return t, true
		}
	}
	return TemplatedPolicy{}, false
}

// Validate checks variables against the schema; nil is none at all. The
// message is the part that follows Consul's "validation error for templated
// policy …: ".
func (t TemplatedPolicy) Validate(variables *TemplateVariables) error {
	switch {
	case t.Schema == "":
		return nil
	case variables == nil:
		return &VariablesError{schemaProblem("Invalid type. Expected: object, given: null")}
	case t.Name == ServiceTemplate && !ValidIdentityName(variables.Name):
		return &VariablesError{fmt.Sprintf("service identity %q has an invalid name. %s", variables.Name, nameRule)}
	case t.Name == NodeTemplate && !ValidIdentityName(variables.Name):
		// Consul has two spaces there.
		return &VariablesError{fmt.Sprintf("node identity %q  has an invalid name. %s", variables.Name, nameRule)}
	case variables.Name == "":
		return &VariablesError{schemaProblem("name is required")}
	default:
		return nil
	}
}

// Policy is the policy that the template stands for with these variables, which
// Validate has accepted; nil is none at all.
func (t TemplatedPolicy) Policy(variables *TemplateVariables, datacenters []string) SyntheticPolicy {
	var name string
	if variables != nil {
		name = variables.Name
	}
	return synthesize(t.Name, t.rules(name), datacenters)
}

func (t TemplatedPolicy) rules(name string) string {
	return strings.ReplaceAll(t.Template, "{{.Name}}", name)
}

// VariablesError says what is wrong with the variables of a templated policy.
type VariablesError struct {
	Problem string
}

func (e *VariablesError) Error() string { return e.Problem }

const nameRule = "Only lowercase alphanumeric characters, '-' and '_' are allowed"

// schemaProblem is one problem in the form of a list of them.
func schemaProblem(problem string) string {
	return "1 error occurred:\n\t* " + problem + "\n\n"
}
