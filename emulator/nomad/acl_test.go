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
	"time"

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

func TestTokens(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	made, _, err := root.ACLTokens().Create(&api.ACLToken{Name: "foo", Type: "client", Policies: []string{"foo1"}}, nil)
	require.NoError(t, err)
	self, _, err := withToken(t, n, made.SecretID).ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, made, self)
	made.Name = "other"
	changed, _, err := root.ACLTokens().Update(made, nil)
	require.NoError(t, err)
	assert.Equal(t, "other", changed.Name)
	assert.Equal(t, made.SecretID, changed.SecretID)
	changed.ExpirationTTL = 10 * time.Minute
	_, _, err = root.ACLTokens().Update(changed, nil)
	require.ErrorContains(t, err, "token 0 invalid: 1 error occurred:\n\t* cannot update expiration TTL")

	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "p"}, nil)
	require.NoError(t, err)
	role, _, err := root.ACLRoles().Create(&api.ACLRole{Name: "r", Policies: []*api.ACLRolePolicyLink{{Name: "p"}}}, nil)
	require.NoError(t, err)
	changed.ExpirationTTL, changed.Roles = 0, []*api.ACLTokenRoleLink{{Name: "r"}, {ID: role.ID}}
	linked, _, err := root.ACLTokens().Update(changed, nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLTokenRoleLink{{ID: role.ID, Name: "r"}}, linked.Roles)
	info, _, err := root.ACLTokens().Info(linked.AccessorID, nil)
	require.NoError(t, err)
	assert.Equal(t, linked, info)

	expiring, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"foo1"}, ExpirationTTL: time.Hour}, nil)
	require.NoError(t, err)
	assert.Equal(t, expiring.CreateTime.Add(time.Hour), *expiring.ExpirationTime)
	list, meta, err := root.ACLTokens().List(nil)
	require.NoError(t, err)
	assert.NotZero(t, meta.LastIndex)
	require.Len(t, list, 3)
	assert.Nil(t, list[0].ExpirationTime, "the oldest is first")
	assert.NotNil(t, list[2].ExpirationTime)
	list, meta, err = root.ACLTokens().List(&api.QueryOptions{PerPage: 1, Reverse: true, Filter: `Type == client`})
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, expiring.AccessorID, list[0].AccessorID)
	list, _, err = root.ACLTokens().List(&api.QueryOptions{NextToken: meta.NextToken, Reverse: true})
	require.NoError(t, err)
	assert.Len(t, list, 2)
	list, _, err = root.ACLTokens().List(&api.QueryOptions{Prefix: made.AccessorID[:8]})
	require.NoError(t, err)
	assert.Len(t, list, 1)

	_, err = root.ACLTokens().Delete(made.AccessorID, nil)
	require.NoError(t, err)
	_, _, err = root.ACLTokens().Info(made.AccessorID, nil)
	require.ErrorContains(t, err, "ACL token not found")
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"p"}}, nil)
	require.NoError(t, err)
	const path, nobody = "/v1/acl/token", "00000000-1111-1111-1111-111111111111"
	client := func(more map[string]any) map[string]any {
		all := map[string]any{"Type": "client", "Policies": []string{"p"}}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	invalid := func(problem string) string { return "token 0 invalid: 1 error occurred:\n\t* " + problem + "\n\n" }
	for _, r := range []refusal{
		{http.MethodPut, path, nil, 400, "Request body is empty"},
		{http.MethodPut, path, map[string]any{}, 400, invalid("token type must be client or management")},
		{http.MethodPut, path, map[string]any{"Type": "client"}, 400, invalid("client token missing policies or roles")},
		{http.MethodPut, path, client(map[string]any{"Type": "management"}), 400, invalid("management token cannot be associated with policies or roles")},
		{http.MethodPut, path, client(map[string]any{"Name": strings.Repeat("x", 257)}), 400, invalid("token name too long")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "1s"}), 400, invalid("expiration time cannot be less than 1m0s in the future (was 1s)")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "24h1s"}), 400, invalid("expiration time cannot be more than 24h0m0s in the future (was 24h0m1s)")},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "-1s"}), 400, "token 0 invalid: 3 errors occurred:\n\t* token expiration TTL '-1s' should not be negative\n\t* expiration time cannot be before create time\n\t* expiration time cannot be less than 1m0s in the future (was -1s)\n\n"},
		{http.MethodPut, path, client(map[string]any{"ExpirationTTL": "x"}), 400, `time: invalid duration "x"`},
		{http.MethodPut, path, client(map[string]any{"Roles": []map[string]string{{"Name": "nope"}}}), 400, "cannot find role nope"},
		{http.MethodPut, path, client(map[string]any{"AccessorID": "x"}), 500, "token lookup failed: acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodPut, path, client(map[string]any{"AccessorID": nobody}), 400, "cannot find token " + nobody},
		{http.MethodPut, path + "/" + token.AccessorID, client(nil), 400, "ACL token accessor does not match request path"},
		{http.MethodPut, path + "/" + token.AccessorID, client(map[string]any{"AccessorID": token.AccessorID, "Global": true}), 400, invalid("cannot toggle global mode")},
		{http.MethodPut, path + "/" + token.AccessorID, client(map[string]any{"AccessorID": token.AccessorID, "ExpirationTime": "2030-01-01T00:00:00Z"}), 400, invalid("cannot update expiration time")},
		{http.MethodGet, path + "/nope", nil, 500, "acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodGet, path + "/" + nobody, nil, 404, "ACL token not found"},
		{http.MethodGet, path + "/", nil, 400, "Missing Token Accessor"},
		{http.MethodGet, path, nil, 405, "Invalid method"},
		{http.MethodDelete, path + "/x", nil, 400, "token lookup failed: acl token lookup failed: index error: UUID must be 36 characters"},
		{http.MethodDelete, path + "/" + nobody, nil, 400, "Cannot delete nonexistent tokens: " + nobody},
		{http.MethodGet, path + "s?prefix=2", nil, 500, "acl token lookup failed: index error: Input (without hyphens) must be even length"},
		{http.MethodGet, path + "s?prefix=zz", nil, 500, "acl token lookup failed: index error: Invalid UUID: encoding/hex: invalid byte: U+007A 'z'"},
		{http.MethodGet, path + "s?per_page=x", nil, 400, "Expect a number for `per_page` query string parameter"},
		{http.MethodGet, path + "s?filter=Foo==x", nil, 400, `failed to read result page: error finding value in datum: /Foo at part 0: couldn't find key: struct field with name "Foo"`},
	} {
		r.check(t, n, rootSecret)
	}
	for _, r := range []refusal{
		{http.MethodPut, path, client(nil), 403, "Permission denied"},
		{http.MethodGet, path + "/" + nobody, nil, 403, "Permission denied"},
		{http.MethodGet, path + "s", nil, 403, "Permission denied"},
		{http.MethodDelete, path + "/" + token.AccessorID, nil, 403, "Permission denied"},
	} {
		r.check(t, n, token.SecretID)
	}
	status, _ := ask(t, n, token.SecretID, http.MethodGet, path+"/"+token.AccessorID, nil)
	assert.Equal(t, 200, status, "one sees one's own token")
}

func TestOneTimeTokens(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"p"}}, nil)
	require.NoError(t, err)
	once, _, err := withToken(t, n, token.SecretID).ACLTokens().UpsertOneTimeToken(nil)
	require.NoError(t, err)
	assert.True(t, once.ExpiresAt.After(time.Now()))
	given, _, err := connect(t, n).ACLTokens().ExchangeOneTimeToken(once.OneTimeSecretID, nil)
	require.NoError(t, err)
	assert.Equal(t, token, given)
	_, _, err = connect(t, n).ACLTokens().ExchangeOneTimeToken(once.OneTimeSecretID, nil)
	require.ErrorContains(t, err, "Permission denied", "it is used up")
	for _, r := range []refusal{
		{http.MethodPut, "/v1/acl/token/onetime", nil, 500, "acl token lookup failed: missing secret id"},
		{http.MethodPut, "/v1/acl/token/onetime/exchange", map[string]any{}, 500, "one-time token lookup failed: missing secret"},
		{http.MethodPut, "/v1/acl/token/onetime/exchange", map[string]any{"OneTimeSecretID": "x"}, 500, "one-time token lookup failed: index error: UUID must be 36 characters"},
	} {
		r.check(t, n, "")
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	_, err := root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "p", Rules: `namespace "default" { policy = "read" }`}, nil)
	require.NoError(t, err)
	made, _, err := root.ACLRoles().Create(&api.ACLRole{Name: "r", Policies: []*api.ACLRolePolicyLink{{Name: "p"}, {Name: "p"}}}, nil)
	require.NoError(t, err)
	assert.Len(t, made.Policies, 1)
	byID, _, err := root.ACLRoles().Get(made.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, made, byID)
	byName, _, err := root.ACLRoles().GetByName("r", nil)
	require.NoError(t, err)
	assert.Equal(t, made, byName)

	token, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Roles: []*api.ACLTokenRoleLink{{Name: "r"}}}, nil)
	require.NoError(t, err)
	mine := withToken(t, n, token.SecretID)
	_, _, err = mine.Services().List(nil)
	require.NoError(t, err, "a role's policies hold")
	made.Name = "renamed"
	changed, _, err := root.ACLRoles().Update(made, nil)
	require.NoError(t, err)
	assert.Equal(t, made.ID, changed.ID)
	self, _, err := mine.ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Equal(t, "renamed", self.Roles[0].Name)
	list, _, err := mine.ACLRoles().List(nil)
	require.NoError(t, err)
	assert.Len(t, list, 1)

	for _, r := range []refusal{
		{http.MethodPut, "/v1/acl/role", map[string]any{}, 400, "role 0 invalid: 2 errors occurred:\n\t* invalid name ''\n\t* at least one policy should be specified\n\n"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{Name: "x", Policies: []*api.ACLRolePolicyLink{{Name: "nope"}}}, 400, "cannot find policy nope"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{Name: "renamed", Policies: made.Policies}, 400, "role with name renamed already exists"},
		{http.MethodPut, "/v1/acl/role", api.ACLRole{ID: "x", Name: "y", Policies: made.Policies}, 400, "cannot find role x"},
		{http.MethodPut, "/v1/acl/role/" + made.ID, api.ACLRole{Name: "y", Policies: made.Policies}, 400, "ACL role ID does not match request path"},
		{http.MethodPut, "/v1/acl/role/", nil, 400, "missing ACL role ID"},
		{http.MethodGet, "/v1/acl/role/x", nil, 404, "ACL role not found"},
		{http.MethodGet, "/v1/acl/role/name/x", nil, 404, "ACL role not found"},
		{http.MethodGet, "/v1/acl/role/name/", nil, 400, "missing ACL role name"},
		{http.MethodGet, "/v1/acl/role", nil, 405, "Invalid method"},
		{http.MethodDelete, "/v1/acl/role/x", nil, 500, "ACL role not found"},
	} {
		r.check(t, n, rootSecret)
	}
	refusal{http.MethodGet, "/v1/acl/role/x", nil, 403, "Permission denied"}.check(t, n, token.SecretID)

	_, err = root.ACLRoles().Delete(made.ID, nil)
	require.NoError(t, err)
	_, _, err = mine.Services().List(nil)
	require.ErrorContains(t, err, "Permission denied")
	self, _, err = mine.ACLTokens().Self(nil)
	require.NoError(t, err)
	assert.Empty(t, self.Roles)
}
