package consul

import (
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTemplatedPoliciesAreShown(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	templates := as(t, c, root).ACL()
	all, _, err := templates.TemplatedPolicyList(nil)
	require.NoError(t, err)
	assert.Len(t, all, 6)
	dns, _, err := templates.TemplatedPolicyReadByName(api.ACLTemplatedPolicyDNSName, nil)
	require.NoError(t, err)
	assert.Equal(t, all[api.ACLTemplatedPolicyDNSName], *dns)

	preview, _, err := templates.TemplatedPolicyPreview(&api.ACLTemplatedPolicy{
		TemplateName:      api.ACLTemplatedPolicyServiceName,
		TemplateVariables: &api.ACLTemplatedPolicyVariables{Name: "web"},
	}, nil)
	require.NoError(t, err)
	assert.Contains(t, preview.Rules, `service "web-sidecar-proxy"`)
	assert.Equal(t, "synthetic-policy-"+preview.ID, preview.Name)
}

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	assertRefused(t, guarded(t), []refusal{
		{"GET", "templated-policy/name/", ``, 400, "Missing templated policy Name"},
		{"GET", "templated-policy/name/nope", ``, 400, "Invalid templated policy Name: nope"},
		{"POST", "templated-policy/preview/", `{}`, 400, "Missing templated policy Name"},
		{"POST", "templated-policy/preview/nope", `{}`, 400, `templated policy "nope" does not exist`},
		{"POST", "templated-policy/preview/builtin/dns", ``, 400, "Failed to decode request body: EOF"},
		{"POST", "templated-policy/preview/builtin/service", `{"Name":"A"}`, 400,
			`validation error for templated policy: "builtin/service": service identity "A" has an invalid name. ` +
				"Only lowercase alphanumeric characters, '-' and '_' are allowed"},
	})
}

func TestAuthorizeAnswersEachQuestion(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	secret := newToken(t, c, `key_prefix "a/" { policy = "write" } key "a/b" { policy = "list" } service "web" { policy = "write" }`)
	status, _, body := askWithToken(t, c, secret, http.MethodPost, "/v1/internal/acl/authorize", `[
		{"Resource":"key","Access":"read","Segment":"a/b"}, {"Resource":"key","Access":"LIST","Segment":"a/b"},
		{"Resource":"key","Access":"write","Segment":"a/b"}, {"Resource":"key","Access":"write-prefix","Segment":"a/"},
		{"Resource":"key","Access":"write-prefix","Segment":"a/c"}, {"Resource":"intention","Access":"read","Segment":"web"},
		{"Resource":"acl","Access":"read"}]`)
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `[
		{"Resource":"key","Access":"read","Segment":"a/b","Allow":true}, {"Resource":"key","Access":"LIST","Segment":"a/b","Allow":true},
		{"Resource":"key","Access":"write","Segment":"a/b","Allow":false}, {"Resource":"key","Access":"write-prefix","Segment":"a/","Allow":false},
		{"Resource":"key","Access":"write-prefix","Segment":"a/c","Allow":true}, {"Resource":"intention","Access":"read","Segment":"web","Allow":true},
		{"Resource":"acl","Access":"read","Allow":false}]`, body)

	for question, want := range map[string]string{
		`[{"Resource":"nope","Access":"read"}]`: `Invalid ACL resource requested: "nope"`,
		`[{"Resource":"key","Access":"nope"}]`:  "Invalid access level for key resource: nope",
		`[{"Resource":"node","Access":"list"}]`: "Invalid access level for node resource: list",
		``:                                      "Failed to decode request body: EOF",
	} {
		status, _, text := askWithToken(t, c, root, http.MethodPost, "/v1/internal/acl/authorize", question)
		assert.Equal(t, http.StatusBadRequest, status)
		assert.Equal(t, want, text)
	}
}
