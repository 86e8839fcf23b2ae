package consul

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// askAs makes a request of dc1's first agent as somebody whom these rules allow
// what they say, and nothing else. An error is its status and text.
func askUnder(t *testing.T, c *Consul, rules, method, path, body string) (int, http.Header, string) {
	t.Helper()
	parsed, err := acl.Parse(rules)
	require.NoError(t, err)
	sent := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	answer := httptest.NewRecorder()
	found, ok := c.router.Find(sent)[method]
	require.True(t, ok, path)
	r := newRequest(c.primary().agents[0], answer, sent)
	r.caller = &caller{may: acl.New(false, parsed)}
	value, err := found.Handle(r)
	if err != nil {
		writeError(answer, err)
	} else {
		r.respond(answer, value)
	}
	return answer.Code, answer.Header(), answer.Body.String()
}

const keyRules = `
key_prefix "a/" { policy = "write" }
key_prefix "a/no" { policy = "deny" }
key_prefix "b/" { policy = "read" }`

func keysFor(t *testing.T, o Options) *Consul {
	t.Helper()
	c := start(t, o)
	for _, key := range []string{"a/1", "a/no/1", "b/1", "c/1", "d/only/1"} {
		status, _, _ := ask(t, c, http.MethodPut, "/v1/kv/"+key, strings.NewReader("v"))
		require.Equal(t, http.StatusOK, status)
	}
	return c
}

func TestKeysThatMayNotBeReadAreLeftOut(t *testing.T) {
	t.Parallel()
	c := keysFor(t, Options{})
	for _, test := range []struct {
		path     string
		status   int
		body     string
		filtered string
	}{
		{"?keys", 200, `["a/1","b/1"]`, "true"},
		{"b/?keys", 200, `["b/1"]`, ""},
		{"c/?keys", 404, "", "true"},
		{"c/?recurse", 404, "", "true"},
		{"b/1?raw", 200, "v", ""},
	} {
		status, header, body := askUnder(t, c, keyRules, http.MethodGet, "/v1/kv/"+test.path, "")
		assert.Equal(t, test.status, status, test.path)
		assert.Equal(t, test.body, body, test.path)
		assert.Equal(t, test.filtered, header.Get("X-Consul-Results-Filtered-By-Acls"), test.path)
	}
}

func TestKeysNeedPermission(t *testing.T) {
	t.Parallel()
	c := keysFor(t, Options{})
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "c/1", 403},
		{http.MethodPut, "a/2", 200},
		{http.MethodPut, "b/2", 403},
		{http.MethodPut, "c/2?acquire=x", 403},
		{http.MethodDelete, "b/1", 403},
		{http.MethodDelete, "a/?recurse", 403}, // not all of it may be written
		{http.MethodDelete, "a/1?recurse", 200},
	} {
		status, _, body := askUnder(t, c, keyRules, test.method, "/v1/kv/"+test.path, "")
		assert.Equal(t, test.status, status, "%s %s: %s", test.method, test.path, body)
	}
}

func TestListingKeysMayNeedAPermissionOfItsOwn(t *testing.T) {
	t.Parallel()
	c := keysFor(t, Options{ACL: ACL{KeyList: true}})
	status, _, _ := askUnder(t, c, `key_prefix "b/" { policy = "read" }`, http.MethodGet, "/v1/kv/b/?keys", "")
	assert.Equal(t, http.StatusForbidden, status)
	_, _, body := askUnder(t, c, `key_prefix "b/" { policy = "list" }`, http.MethodGet, "/v1/kv/b/?keys", "")
	assert.Equal(t, `["b/1"]`, body)
}

func TestTransactionsNeedPermission(t *testing.T) {
	t.Parallel()
	c := keysFor(t, Options{})
	registerNode(t, c, "n", "c")
	for body, want := range map[string]int{
		`[{"KV":{"Verb":"get","Key":"c/1"}},{"KV":{"Verb":"get","Key":"a/1"}}]`:     1, // results: what may be read
		`[{"KV":{"Verb":"get-tree","Key":"a/"}}]`:                                   1,
		`[{"Node":{"Verb":"get","Node":{"Node":"n"}}}]`:                             0,
		`[{"Check":{"Verb":"get","Check":{"Node":"n","CheckID":"c"}}}]`:             0,
		`[{"KV":{"Verb":"set","Key":"c/1"}}]`:                                       -1, // errors
		`[{"KV":{"Verb":"check-index","Key":"c/1"}}]`:                               -1,
		`[{"KV":{"Verb":"check-not-exists","Key":"b/none"}}]`:                       -1,
		`[{"KV":{"Verb":"delete-tree","Key":"a/"}}]`:                                -1,
		`[{"Node":{"Verb":"set","Node":{"Node":"n"}}}]`:                             -1,
		`[{"Service":{"Verb":"set","Node":"n","Service":{"Service":"s"}}}]`:         -1,
		`[{"Check":{"Verb":"delete","Check":{"Node":"n","CheckID":"c"}}}]`:          -1,
		`[{"KV":{"Verb":"set","Key":"a/1"}},{"KV":{"Verb":"get-tree","Key":"a/"}}]`: 2,
	} {
		_, _, answer := askUnder(t, c, keyRules, http.MethodPut, "/v1/txn", body)
		var got transactionAnswer
		require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
		if want < 0 {
			require.Len(t, got.Errors, 1, body)
			assert.Contains(t, got.Errors[0].What, "Permission denied", body)
			continue
		}
		assert.Len(t, got.Results, want, body)
	}
}

func TestSessionsAndTheRestNeedPermission(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Encrypt: firstKey})
	session := createdSession(t, c, "")
	fire(t, c, "e", "")
	for _, test := range []struct {
		rules, method, path, body string
		status                    int
		want                      string // in the answer
	}{
		{``, http.MethodGet, "/v1/session/list", "", 200, "[]"},
		{`session_prefix "" { policy = "read" }`, http.MethodGet, "/v1/session/list", "", 200, session.ID},
		{`session_prefix "" { policy = "read" }`, http.MethodPut, "/v1/session/destroy/" + session.ID, "", 403, ""},
		{`session_prefix "" { policy = "read" }`, http.MethodPut, "/v1/session/create", "", 403, ""},
		{`session "dc1-1" { policy = "write" }`, http.MethodPut, "/v1/session/renew/" + session.ID, "", 200, session.ID},
		{``, http.MethodGet, "/v1/event/list", "", 200, "[]"},
		{`event "e" { policy = "read" }`, http.MethodGet, "/v1/event/list", "", 200, `"Name":"e"`},
		{`event "e" { policy = "read" }`, http.MethodPut, "/v1/event/fire/e", "", 403, ""},
		{`event "e" { policy = "write" }`, http.MethodPut, "/v1/event/fire/e", "", 200, ""},
		{`acl = "read"`, http.MethodGet, "/v1/snapshot", "", 403, ""},
		{`acl = "read"`, http.MethodPut, "/v1/snapshot", "", 403, ""},
		{``, http.MethodGet, "/v1/coordinate/nodes", "", 200, "[]"},
		{``, http.MethodGet, "/v1/coordinate/node/dc1-1", "", 403, ""},
		{`node "dc1-1" { policy = "read" }`, http.MethodGet, "/v1/coordinate/node/dc1-1", "", 200, "dc1-1"},
		{`node "dc1-1" { policy = "read" }`, http.MethodPut, "/v1/coordinate/update", `{"Node":"dc1-1"}`, 403, ""},
		{``, http.MethodGet, "/v1/operator/raft/configuration", "", 403, ""},
		{`operator = "read"`, http.MethodGet, "/v1/operator/raft/configuration", "", 200, "dc1-1"},
		{`operator = "read"`, http.MethodPost, "/v1/operator/raft/transfer-leader", "", 403, ""},
		{`operator = "read"`, http.MethodDelete, "/v1/operator/raft/peer?id=x", "", 403, ""},
		{`operator = "read"`, http.MethodPut, "/v1/operator/autopilot/configuration", "{}", 403, ""},
		{``, http.MethodGet, "/v1/operator/autopilot/configuration", "", 403, ""},
		{``, http.MethodGet, "/v1/operator/autopilot/health", "", 403, ""},
		{``, http.MethodGet, "/v1/operator/autopilot/state", "", 403, ""},
		{``, http.MethodGet, "/v1/operator/usage", "", 403, ""},
		{`keyring = "read"`, http.MethodGet, "/v1/operator/keyring", "", 200, firstKey},
		{`keyring = "read"`, http.MethodPost, "/v1/operator/keyring", `{"Key":"` + secondKey + `"}`, 403, ""},
		{``, http.MethodGet, "/v1/status/leader", "", 200, ":8300"},
	} {
		status, _, body := askUnder(t, c, test.rules, test.method, test.path, test.body)
		assert.Equal(t, test.status, status, "%+v: %s", test, body)
		assert.Contains(t, body, test.want, "%+v", test)
	}
}
