package acl

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestIdentitiesAsConsulShowsThem compares with the expanded policies of tokens
// that Consul 1.22.3 shows.
func TestIdentitiesAsConsulShowsThem(t *testing.T) {
	t.Parallel()
	service := ServiceIdentity("web", nil)
	assert.Equal(t, "synthetic policy generated from templated policy: builtin/service", service.Description)
	assert.Equal(t, "b04MnvCVtBXZAmGe4uDpGLABJoGo2nNhEJkqaN5E5x4=", base64.StdEncoding.EncodeToString(service.Hash))
	assert.Empty(t, service.Datacenters)

	node := NodeIdentity("n1", "dc1")
	assert.Equal(t, "0a6e6f646520226e3122207b0a09706f6c696379203d20227772697465220a7d0a736572766963655f707265666978202222207b0a"+
		"09706f6c696379203d202272656164220a7d6c62272e07bb014262b821756295c58d", node.ID)
	assert.Equal(t, "synthetic-policy-"+node.ID, node.Name)
	assert.Equal(t, []string{"dc1"}, node.Datacenters)
	assert.Equal(t, "aImGoCLJNqSbyVrkVFhZP7NHwTv8ckXQQ46amx8yr+c=", base64.StdEncoding.EncodeToString(node.Hash))
}

func TestServiceIdentityGrants(t *testing.T) {
	t.Parallel()
	a := authorizer(t, false, ServiceIdentity("web", nil).Rules)
	assert.True(t, a.Allows(Write, Service, "web"))
	assert.True(t, a.Allows(Write, Service, "web-sidecar-proxy"))
	assert.False(t, a.Allows(Write, Service, "db"))
	assert.True(t, a.Allows(Read, Service, "db"))
	assert.True(t, a.Allows(Read, Node, "n1"))
	assert.False(t, a.Allows(Read, Key, "a"))
}

func TestNodeIdentityGrants(t *testing.T) {
	t.Parallel()
	a := authorizer(t, false, NodeIdentity("n1", "dc1").Rules)
	assert.True(t, a.Allows(Write, Node, "n1"))
	assert.False(t, a.Allows(Read, Node, "n2"))
	assert.True(t, a.Allows(Read, Service, "db"))
	assert.False(t, a.Allows(Write, Service, "db"))
}

func TestPolicyHashOfConsul(t *testing.T) {
	t.Parallel()
	hash := PolicyHash("hashme", "desc", `key "a" { policy = "read" }`, []string{"dc1", "dc2"})
	assert.Equal(t, "34PJL9NVCZrLP+d/ZD2mxCrcrGbw644l4t7DbncLi6s=", base64.StdEncoding.EncodeToString(hash))
}

func TestValidIdentityName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "n-1", "a--b", "a_b", "0", strings.Repeat("a", 256)} {
		assert.True(t, ValidIdentityName(name), name)
	}
	for _, name := range []string{"", "-a", "a-", "_n", "n_", "A", "a b", "a.b", "ü", strings.Repeat("a", 257)} {
		assert.False(t, ValidIdentityName(name), name)
	}
}

func TestTemplatedPoliciesParse(t *testing.T) {
	t.Parallel()
	for _, template := range TemplatedPolicies() {
		policy := template.Policy(&TemplateVariables{Name: "api"}, nil)
		_, err := Parse(policy.Rules)
		require.NoError(t, err, template.Name)
		assert.NotContains(t, policy.Rules, "{{", template.Name)
		found, ok := FindTemplatedPolicy(template.Name)
		assert.True(t, ok)
		assert.Equal(t, template, found)
	}
	_, ok := FindTemplatedPolicy("builtin/nope")
	assert.False(t, ok)
}

func TestTemplateVariables(t *testing.T) {
	t.Parallel()
	const rule = "has an invalid name. Only lowercase alphanumeric characters, '-' and '_' are allowed"
	cases := []struct {
		template  string
		variables *TemplateVariables
		problem   string
	}{
		{ServiceTemplate, &TemplateVariables{"api"}, ""},
		{ServiceTemplate, &TemplateVariables{"a b"}, `service identity "a b" ` + rule},
		{ServiceTemplate, &TemplateVariables{""}, `service identity "" ` + rule},
		{ServiceTemplate, nil, "1 error occurred:\n\t* Invalid type. Expected: object, given: null\n\n"},
		{NodeTemplate, &TemplateVariables{"1N"}, `node identity "1N"  ` + rule},
		{APIGatewayTemplate, &TemplateVariables{"1N"}, ""},
		{APIGatewayTemplate, &TemplateVariables{""}, "1 error occurred:\n\t* name is required\n\n"},
		{DNSTemplate, &TemplateVariables{"-a"}, ""},
		{NomadServerTemplate, nil, ""},
	}
	for _, c := range cases {
		template, ok := FindTemplatedPolicy(c.template)
		require.True(t, ok)
		err := template.Validate(c.variables)
		if c.problem == "" {
			assert.NoError(t, err, c.template)
			continue
		}
		var wrong *VariablesError
		require.ErrorAs(t, err, &wrong)
		assert.Equal(t, c.problem, wrong.Error())
	}
}
