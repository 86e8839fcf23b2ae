package consul

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unguarded are the routes that need no permission, but a token that exists
// where there is one. A transaction needs that of each of its operations.
var unguarded = []string{
	"GET /v1/agent/connect/ca/roots", "GET /v1/agent/version", "GET /v1/catalog/datacenters", "GET /v1/connect/ca/roots",
	"GET /v1/coordinate/datacenters", "GET /v1/operator/utilization", "GET /v1/status/leader", "GET /v1/status/peers",
	"POST /v1/internal/acl/authorize", "PUT /v1/txn",
}

// fixtures puts something into a guarded Consul for each of the guards, and
// returns what replaces the names of IDs.
func fixtures(t *testing.T, c *Consul) *strings.Replacer {
	t.Helper()
	call := func(method, path, body string) map[string]any {
		status, _, text := askWithToken(t, c, root, method, path, body)
		require.Equal(t, http.StatusOK, status, "%s %s: %s", method, path, text)
		var answer map[string]any
		_ = json.Unmarshal([]byte(text), &answer) // some answers are not objects
		return answer
	}
	call("PUT", "/v1/catalog/register", `{"Node":"n1","Address":"10.0.0.1","Service":{"Service":"web","Port":80,"Connect":{"Native":true}},
		"Checks":[{"CheckID":"node","Name":"node","Status":"passing"},{"CheckID":"service","Name":"service","ServiceID":"web","Status":"passing"}]}`)
	call("PUT", "/v1/coordinate/update", `{"Node":"n1","Coord":{"Vec":[0,0,0,0,0,0,0,0],"Error":1.5,"Height":0.00001}}`)
	call("PUT", "/v1/agent/service/register", `{"Name":"loc","Check":{"CheckID":"of-loc","TTL":"1h","Status":"passing"}}`)
	call("PUT", "/v1/agent/check/register", `{"ID":"of-node","Name":"of-node","TTL":"1h"}`)
	call("PUT", "/v1/kv/k/one", "v")
	call("PUT", "/v1/event/fire/e", "")
	for _, entry := range []string{
		`{"Kind":"proxy-defaults","Name":"global","Config":{"protocol":"tcp"}}`, `{"Kind":"mesh"}`,
		`{"Kind":"service-defaults","Name":"web"}`, `{"Kind":"exported-services","Name":"default"}`,
	} {
		call("PUT", "/v1/config", entry)
	}
	session := call("PUT", "/v1/session/create", `{"Node":"n1","Checks":[]}`)
	query := call("POST", "/v1/query", `{"Name":"q","Service":{"Service":"web"}}`)
	intention := call("POST", "/v1/connect/intentions", `{"SourceName":"api","DestinationName":"web","Action":"allow"}`)
	id := func(of map[string]any) string { return of["ID"].(string) }
	return strings.NewReplacer("$session", id(session), "$query", id(query), "$intention", id(intention))
}

func TestEachRouteNeedsItsPermission(t *testing.T) {
	t.Parallel()
	for _, g := range guards() {
		t.Run(g.route+" "+g.call+g.body, func(t *testing.T) {
			t.Parallel()
			c := start(t, Options{Encrypt: firstKey, ACL: ACL{Enabled: true, InitialManagement: root}})
			ids := fixtures(t, c)
			method, _, _ := strings.Cut(g.route, " ")
			call := func(rules string) (int, http.Header, string) {
				return askWithToken(t, c, newToken(t, c, rules), method, ids.Replace(g.call), g.body)
			}

			status, header, text := call("")
			switch {
			case g.sees == "":
				assert.Equal(t, http.StatusForbidden, status, text)
				assert.Contains(t, text, "Permission denied")
			case status == http.StatusForbidden:
				assert.Contains(t, text, "Permission denied")
			default:
				assert.NotContains(t, text, ids.Replace(g.sees))
				assert.Equal(t, "true", header.Get("X-Consul-Results-Filtered-By-Acls"))
			}
			status, _, text = askWithToken(t, c, "nobody's", method, ids.Replace(g.call), g.body)
			assert.Equal(t, http.StatusForbidden, status, text)
			assert.Contains(t, text, aclNotFound)
			if g.lasts {
				return
			}
			status, _, text = call(g.rules)
			assert.NotEqual(t, http.StatusForbidden, status, text)
			assert.Contains(t, text, ids.Replace(g.sees))
		})
	}
}

// TestEachRouteSaysWhoMayCallIt finds routes that nobody has thought about.
func TestEachRouteSaysWhoMayCallIt(t *testing.T) {
	t.Parallel()
	known := slices.Clone(unguarded)
	for _, g := range guards() {
		known = append(known, g.route)
	}
	for _, r := range table() {
		if r.Handle == nil || strings.HasPrefix(r.Path, "/debug/") || strings.HasPrefix(r.Path, "/v1/acl/") {
			continue // TestWritersMayAndReadersMayNot has those of access control
		}
		name := r.Method + " " + strings.ReplaceAll(r.Path, "...}", "}")
		assert.True(t, slices.Contains(known, name), name)
	}
}
