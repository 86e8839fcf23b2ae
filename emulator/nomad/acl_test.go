package nomad

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const rootSecret = "11111111-1111-1111-1111-111111111111"

// startACL starts a Nomad with ACLs whose management token is rootSecret, and
// makes the client that shows it.
func startACL(t testing.TB, regions ...Region) (*Nomad, *api.Client) {
	t.Helper()
	n := start(t, Options{ACL: true, Regions: regions})
	c := connect(t, n)
	_, _, err := c.ACLTokens().BootstrapOpts(rootSecret, nil)
	require.NoError(t, err)
	return n, withToken(t, n, rootSecret)
}

func withToken(t testing.TB, n *Nomad, secret string) *api.Client {
	t.Helper()
	c := connect(t, n)
	c.SetSecretID(secret)
	return c
}

// holding makes a token that holds the rules.
func holding(t testing.TB, root *api.Client, rules ...string) string {
	t.Helper()
	var names []string
	for _, text := range rules {
		name := "p" + strings.ReplaceAll(t.Name(), "/", "-") + strings.Repeat("x", len(names))
		name = strings.Map(func(r rune) rune {
			if r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return '-'
		}, name)
		_, err := root.ACLPolicies().Upsert(&api.ACLPolicy{Name: name, Rules: text}, nil)
		require.NoError(t, err)
		names = append(names, name)
	}
	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: names}, nil)
	require.NoError(t, err)
	return token.SecretID
}

// ask makes a request with a token and a body, which may be a text or what
// becomes JSON, and returns the answer's status and body.
func ask(t testing.TB, n *Nomad, secret, method, path string, body any) (int, string) {
	t.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	default:
		text, err := json.Marshal(body)
		require.NoError(t, err)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, n.regions[0].listener.URL()+path, reader)
	require.NoError(t, err)
	if secret != "" {
		request.Header.Set("X-Nomad-Token", secret)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(text)
}

// refusal is a request, and how it is refused.
type refusal struct {
	method, path string
	body         any
	status       int
	text         string
}

func (r refusal) check(t testing.TB, n *Nomad, secret string) {
	t.Helper()
	status, text := ask(t, n, secret, r.method, r.path, r.body)
	assert.Equal(t, r.status, status, "%s %s %v: %s", r.method, r.path, r.body, text)
	assert.Equal(t, r.text, text, "%s %s %v", r.method, r.path, r.body)
}

func TestWithoutACLs(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	for _, path := range []string{"/v1/acl/policies", "/v1/acl/tokens", "/v1/acl/roles", "/v1/acl/auth-methods"} {
		refusal{http.MethodGet, path, nil, 400, "ACL support disabled"}.check(t, n, "")
	}
	refusal{http.MethodGet, "/v1/acl/policy/self", nil, 403, "Permission denied"}.check(t, n, "")
	refusal{http.MethodGet, "/v1/acl/policy/self", nil, 400, "ACL support disabled"}.check(t, n, rootSecret)
	c := connect(t, n)
	self, _, err := c.ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, "acls-disabled", self.AccessorID)
	status, _ := ask(t, n, "what ever", http.MethodGet, "/v1/namespaces", nil)
	assert.Equal(t, 200, status, "everybody may everything")
	_, _, err = c.ACLIdentity().CreateClientIntroductionToken(&api.ACLIdentityClientIntroductionTokenRequest{}, nil)
	assert.NoError(t, err)
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	n := start(t, Options{ACL: true})
	c := connect(t, n)
	_, _, err := c.ACLTokens().BootstrapOpts("badtoken", nil)
	require.ErrorContains(t, err, "invalid acl token")
	token, meta, err := c.ACLTokens().Bootstrap(nil)
	require.NoError(t, err)
	assert.NotZero(t, meta.LastIndex)
	assert.Equal(t, "management", token.Type)
	assert.True(t, token.Global)
	_, _, err = c.ACLTokens().Bootstrap(nil)
	require.ErrorContains(t, err, "ACL bootstrap already done (reset index: ")

	self, _, err := withToken(t, n, token.SecretID).ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, token, self)
	refusal{http.MethodPut, "/v1/acl/bootstrap", "{", 400, "failed to decode request body: unexpected EOF"}.check(t, n, "")
}

func TestBootstrapIsResetByTheOperator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, Options{ACL: true, Dir: dir})
	c := connect(t, n)
	token, _, err := c.ACLTokens().Bootstrap(nil)
	require.NoError(t, err)
	file := filepath.Join(dir, "global", "server", "acl-bootstrap-reset")
	for content, refused := range map[string]string{
		"x":    fmt.Sprintf("ACL bootstrap already done (reset index: %d)", token.CreateIndex),
		"9999": fmt.Sprintf("Invalid bootstrap reset index (specified 9999, reset index: %d)", token.CreateIndex),
	} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		_, _, err = c.ACLTokens().Bootstrap(nil)
		assert.ErrorContains(t, err, refused)
	}
	require.NoError(t, os.WriteFile(file, fmt.Appendf(nil, "%d\n", token.CreateIndex), 0o600))
	again, _, err := c.ACLTokens().Bootstrap(nil)
	require.NoError(t, err)
	assert.NotEqual(t, token.SecretID, again.SecretID)
	assert.NoFileExists(t, file)
}

func TestWhoShowsNoTokenThatIsKnown(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	const unknown = "99999999-1111-1111-1111-111111111111"
	for _, path := range []string{"/v1/acl/policies", "/v1/namespaces", "/v1/vars", "/v1/node/pools", "/v1/services", "/v1/acl/roles", "/v1/acl/token/self"} {
		refusal{http.MethodGet, path, nil, 403, "Permission denied"}.check(t, n, unknown)
	}
	refusal{http.MethodGet, "/v1/acl/token/self", nil, 500,
		"failed to parse signed token: go-jose/go-jose: compact JWS format must have three parts"}.check(t, n, "nope")
	for _, path := range []string{"/v1/acl/policies", "/v1/namespaces", "/v1/vars", "/v1/node/pools", "/v1/acl/roles", "/v1/acl/auth-methods"} {
		status, text := ask(t, n, "", http.MethodGet, path, nil)
		assert.Equal(t, 200, status, path)
		assert.Equal(t, "[]", text, path)
	}
	for _, path := range []string{"/v1/services", "/v1/acl/tokens", "/v1/acl/binding-rules", "/v1/acl/policy/self", "/v1/var/a", "/v1/namespace/default", "/v1/operator/keyring/keys"} {
		refusal{http.MethodGet, path, nil, 403, "Permission denied"}.check(t, n, "")
	}
	self, _, err := connect(t, n).ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, "anonymous", self.AccessorID)

	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "anonymous", Rules: `namespace "default" { policy = "read" }`}, nil)
	require.NoError(t, err)
	_, _, err = connect(t, n).Services().List(nil)
	assert.NoError(t, err, "who is anonymous holds the policy of that name")
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	list, meta, err := root.ACLPolicies().List(nil)
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.EqualValues(t, 1, meta.LastIndex)
	policy := &api.ACLPolicy{Name: "test", Description: "d", Rules: `namespace "default" { policy = "read" }`,
		JobACL: &api.JobACL{Namespace: "default", JobID: "j"}}
	written, err := root.ACLPolicies().Upsert(policy, nil)
	require.NoError(t, err)
	assert.NotZero(t, written.LastIndex)
	info, _, err := root.ACLPolicies().Info("test", nil)
	require.NoError(t, err)
	policy.CreateIndex, policy.ModifyIndex = info.CreateIndex, info.ModifyIndex
	assert.Equal(t, policy, info)
	_, text := ask(t, n, rootSecret, http.MethodGet, "/v1/acl/policy/test", nil)
	assert.Contains(t, text, `"RulesJSON":{"Agent":null`)

	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"test", "not-there"}}, nil)
	require.NoError(t, err)
	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "other"}, nil)
	require.NoError(t, err)
	mine := withToken(t, n, token.SecretID)
	for _, ask := range []func(*api.QueryOptions) ([]*api.ACLPolicyListStub, *api.QueryMeta, error){mine.ACLPolicies().List, mine.ACLPolicies().Self} {
		list, _, err = ask(nil)
		require.NoError(t, err)
		require.Len(t, list, 1, "one sees what one holds")
		assert.Equal(t, "test", list[0].Name)
	}
	_, _, err = mine.ACLPolicies().Info("test", nil)
	require.NoError(t, err)
	_, _, err = mine.ACLPolicies().Info("other", nil)
	require.ErrorContains(t, err, "Permission denied")
	_, err = mine.ACLPolicies().Upsert(policy, nil)
	require.ErrorContains(t, err, "Permission denied")

	_, err = root.ACLPolicies().Delete("test", nil)
	require.NoError(t, err)
	list, _, err = root.ACLPolicies().List(nil)
	require.NoError(t, err)
	assert.Len(t, list, 1)
	_, err = root.ACLPolicies().Delete("test", nil)
	assert.NoError(t, err, "what is gone already")
}

func TestPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	n, _ := startACL(t)
	const path = "/v1/acl/policy/a"
	for _, r := range []refusal{
		{http.MethodGet, "/v1/acl/policy/nope", nil, 404, "ACL policy not found"},
		{http.MethodGet, "/v1/acl/policy/", nil, 400, "Missing Policy Name"},
		{http.MethodPut, path, nil, 400, "Request body is empty"},
		{http.MethodPut, path, "{", 400, "unexpected EOF"},
		{http.MethodPut, path, api.ACLPolicy{Name: "b"}, 400, "ACL policy name does not match request path"},
		{http.MethodPut, path, api.ACLPolicy{Name: "a", Rules: "x"}, 400,
			"policy 0 invalid: 1 error occurred:\n\t* failed to parse rules: Failed to parse ACL Policy: At 1:3: key 'x' expected start of object ('{') or assignment ('=')\n\n"},
		{http.MethodPut, "/v1/acl/policy/a_b", api.ACLPolicy{Name: "a_b", Description: strings.Repeat("d", 257)}, 400,
			"policy 0 invalid: 2 errors occurred:\n\t* invalid name 'a_b'\n\t* description longer than 256\n\n"},
		{http.MethodPut, path, api.ACLPolicy{Name: "a", JobACL: &api.JobACL{JobID: "j", Task: "t"}}, 400,
			"policy 0 invalid: 2 errors occurred:\n\t* namespace must be set to set job ID\n\t* group must be set to set task\n\n"},
		{http.MethodPut, path, api.ACLPolicy{Name: "a", JobACL: &api.JobACL{Group: "g"}}, 400,
			"policy 0 invalid: 1 error occurred:\n\t* job ID must be set to set group\n\n"},
		{http.MethodPatch, path, nil, 405, "Invalid method"},
	} {
		r.check(t, n, rootSecret)
	}
}
