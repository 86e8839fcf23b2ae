package consul

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the secret of the token that may do everything in guarded Consuls.
const root = "root"

// guarded starts a Consul with access control, where nothing is allowed without a token.
func guarded(t *testing.T, datacenters ...string) *Consul {
	t.Helper()
	o := Options{ACL: ACL{Enabled: true, InitialManagement: root}}
	for _, name := range datacenters {
		o.Datacenters = append(o.Datacenters, Datacenter{Name: name})
	}
	return start(t, o)
}

// as is the official client of the first agent of dc1 with a token.
func as(t *testing.T, c *Consul, secret string) *api.Client {
	t.Helper()
	return asIn(t, c, "dc1", secret)
}

func asIn(t *testing.T, c *Consul, datacenter, secret string) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{
		Address:   c.URL(datacenter),
		Token:     secret,
		Transport: &http.Transport{DisableKeepAlives: true},
	})
	require.NoError(t, err)
	return client
}

// askWithToken makes a request of dc1's first agent with a token.
func askWithToken(t *testing.T, c *Consul, secret, method, path, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.URL("dc1")+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("X-Consul-Token", secret)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(read)
}

// refusal is a call and the answer to it.
type refusal struct {
	method, path, body string
	status             int
	text               string
}

func assertRefused(t *testing.T, c *Consul, list []refusal) {
	t.Helper()
	for _, want := range list {
		status, _, text := askWithToken(t, c, root, want.method, "/v1/acl/"+want.path, want.body)
		call := want.method + " " + want.path + " " + want.body
		assert.Equal(t, want.status, status, call)
		assert.Equal(t, want.text, text, call)
	}
}

// newPolicy creates a policy and returns its ID.
func newPolicy(t *testing.T, c *Consul, name, rules string, datacenters ...string) string {
	t.Helper()
	policy, _, err := as(t, c, root).ACL().PolicyCreate(&api.ACLPolicy{Name: name, Rules: rules, Datacenters: datacenters}, nil)
	require.NoError(t, err)
	return policy.ID
}

// newToken creates a token with rules and returns its secret.
func newToken(t *testing.T, c *Consul, rules string) string {
	t.Helper()
	id := newPolicy(t, c, "rules-"+uuid.NewString(), rules)
	token, _, err := as(t, c, root).ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{ID: id}}}, nil)
	require.NoError(t, err)
	return token.SecretID
}

func TestWithoutAccessControlNothingOfItIsServed(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for _, r := range aclRoutes() {
		if r.Handle == nil {
			continue
		}
		path := strings.NewReplacer("{id...}", "x", "{name...}", "x", "{id}", "x", "{name}", "x", "{accessor}", "x").Replace(r.Path)
		status, _, text := ask(t, c, r.Method, path, nil)
		assert.Equal(t, http.StatusUnauthorized, status, path)
		assert.Equal(t, "ACL support disabled", text, path)
	}
	// A token changes nothing then.
	status, _, _ := askWithToken(t, c, "nobody's", http.MethodPut, "/v1/kv/a", "x")
	assert.Equal(t, http.StatusOK, status)
}

func TestLegacyRoutesAreUnknown(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	for _, r := range legacyACLRoutes() {
		status, _, _ := askWithToken(t, c, root, r.Method, strings.Replace(r.Path, "{id...}", "x", 1), "")
		assert.Contains(t, []int{http.StatusNotFound, http.StatusMethodNotAllowed}, status, r.Path)
	}
}

func TestWritersMayAndReadersMayNot(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	reader := newToken(t, c, `acl = "read"`)
	none := newToken(t, c, `key_prefix "" { policy = "write" }`)
	const id = "11111111-1111-1111-1111-111111111111"
	for _, call := range []struct{ method, path, body string }{
		{"GET", "policies", ""}, {"GET", "policy/" + id, ""}, {"GET", "policy/name/x", ""},
		{"GET", "roles", ""}, {"GET", "role/" + id, ""}, {"GET", "role/name/x", ""},
		{"GET", "tokens", ""}, {"GET", "token/" + id, ""},
		{"GET", "auth-methods", ""}, {"GET", "auth-method/x", ""},
		{"GET", "binding-rules", ""}, {"GET", "binding-rule/" + id, ""},
		{"GET", "templated-policies", ""}, {"GET", "templated-policy/name/x", ""}, {"POST", "templated-policy/preview/x", "{}"},
		{"PUT", "policy", "{}"}, {"PUT", "policy/" + id, "{}"}, {"DELETE", "policy/" + id, ""},
		{"PUT", "role", "{}"}, {"PUT", "role/" + id, "{}"}, {"DELETE", "role/" + id, ""},
		{"PUT", "token", "{}"}, {"PUT", "token/" + id, "{}"}, {"DELETE", "token/" + id, ""}, {"PUT", "token/" + id + "/clone", "{}"},
		{"PUT", "auth-method", "{}"}, {"PUT", "auth-method/x", "{}"}, {"DELETE", "auth-method/x", ""},
		{"PUT", "binding-rule", "{}"}, {"PUT", "binding-rule/" + id, "{}"}, {"DELETE", "binding-rule/" + id, ""},
	} {
		access := "read"
		if call.method == http.MethodPut || call.method == http.MethodDelete {
			access = "write"
		}
		name := call.method + " " + call.path
		status, _, text := askWithToken(t, c, none, call.method, "/v1/acl/"+call.path, call.body)
		assert.Equal(t, http.StatusForbidden, status, name)
		assert.Contains(t, text, "lacks permission 'acl:"+access+"'", name)

		_, _, text = askWithToken(t, c, reader, call.method, "/v1/acl/"+call.path, call.body)
		if access == "read" {
			assert.NotContains(t, text, "lacks permission", name)
		} else {
			assert.Contains(t, text, "lacks permission 'acl:write'", name)
		}
		_, _, text = askWithToken(t, c, root, call.method, "/v1/acl/"+call.path, call.body)
		assert.NotContains(t, text, "lacks permission", name)
	}
}
