package consul

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guardedShop is a guarded Consul with a node a, that has web and db, and a
// node b, that has web.
func guardedShop(t *testing.T) *Consul {
	t.Helper()
	c := guarded(t)
	for _, body := range []string{
		`{"Node":"a","Address":"10.0.0.1","Service":{"Service":"web"},"Check":{"CheckID":"web","ServiceID":"web","Status":"passing"}}`,
		`{"Node":"a","Address":"10.0.0.1","Service":{"Service":"db"},"Check":{"CheckID":"db","ServiceID":"db","Status":"passing"}}`,
		`{"Node":"b","Address":"10.0.0.2","Service":{"Service":"web"},"Check":{"CheckID":"alive","Status":"passing"}}`,
	} {
		status, _, text := askWithToken(t, c, root, http.MethodPut, "/v1/catalog/register", body)
		require.Equal(t, http.StatusOK, status, text)
	}
	return c
}

func TestWhatMayNotBeReadIsLeftOut(t *testing.T) {
	t.Parallel()
	c := guardedShop(t)
	token := newToken(t, c, `service "web" { policy = "read" } node "a" { policy = "read" }`)
	for path, want := range map[string]int{
		"catalog/nodes": 1, "catalog/services": 1, "catalog/service/web": 1, "catalog/service/db": 0,
		"health/node/a": 1, "health/node/b": 0, "health/checks/db": 0, "health/service/web": 1, "health/state/any": 1,
	} {
		status, header, body := askWithToken(t, c, token, http.MethodGet, "/v1/"+path, "")
		assert.Equal(t, http.StatusOK, status, path)
		var list any
		require.NoError(t, json.Unmarshal([]byte(body), &list), body)
		assert.Len(t, list, want, path)
		assert.Equal(t, "true", header.Get("X-Consul-Results-Filtered-By-Acls"), path)
		_, header, body = askWithToken(t, c, "", http.MethodGet, "/v1/"+path, "")
		assert.Contains(t, []string{"[]", "{}"}, body, path)
		assert.Empty(t, header.Get("X-Consul-Results-Filtered-By-Acls"), path)
	}
	for path, want := range map[string]int{
		"catalog/node/b": http.StatusOK, "catalog/connect/db": http.StatusOK,
		"health/connect/db": http.StatusForbidden, "health/ingress/db": http.StatusForbidden, "catalog/gateway-services/db": http.StatusForbidden,
	} {
		status, _, _ := askWithToken(t, c, token, http.MethodGet, "/v1/"+path, "")
		assert.Equal(t, want, status, path)
	}
}

func TestWhoMayRegister(t *testing.T) {
	t.Parallel()
	c := guardedShop(t)
	tokens := map[string]string{
		"nobody":  "",
		"service": newToken(t, c, `service "web" { policy = "write" }`),
		"node":    newToken(t, c, `node "a" { policy = "write" }`),
		"both":    newToken(t, c, `service "web" { policy = "write" } node "a" { policy = "write" }`),
	}
	for _, test := range []struct {
		path, body string
		may        []string
	}{
		{"register", `{"Node":"a","Address":"10.0.0.1"}`, []string{"nobody", "service", "node", "both"}}, // nothing new
		{"register", `{"Node":"a","Address":"10.0.0.1","Service":{"Service":"web"}}`, []string{"service", "both"}},
		{"register", `{"Node":"a","Address":"10.0.0.9","Service":{"Service":"web"}}`, []string{"both"}},
		{"register", `{"Node":"a","SkipNodeUpdate":true,"Service":{"ID":"db","Service":"web"}}`, nil},
		{"register", `{"Node":"a","SkipNodeUpdate":true,"Service":{"Service":"web"}}`, []string{"service", "both"}},
		{"register", `{"Node":"a","SkipNodeUpdate":true,"Service":{"Service":"db"}}`, nil},
		{"register", `{"Node":"a","SkipNodeUpdate":true,"Check":{"CheckID":"x"}}`, []string{"node", "both"}},
		{"register", `{"Node":"a","SkipNodeUpdate":true,"Check":{"CheckID":"web","ServiceID":"web"}}`, []string{"service", "both"}},
		{"deregister", `{"Node":"a","CheckID":"db"}`, []string{"node", "both"}},
		{"deregister", `{"Node":"a","CheckID":"web"}`, []string{"service", "node", "both"}},
		{"deregister", `{"Node":"b"}`, nil},
	} {
		for who, token := range tokens {
			status, _, _ := askWithToken(t, c, token, http.MethodPut, "/v1/catalog/"+test.path, test.body)
			if status != http.StatusOK {
				status = http.StatusForbidden // or that it is not there any more, of which only who may is told
			}
			want := http.StatusForbidden
			for _, may := range test.may {
				if may == who {
					want = http.StatusOK
				}
			}
			assert.Equal(t, want, status, who+" "+test.body)
			_, _, _ = askWithToken(t, c, root, http.MethodPut, "/v1/catalog/register",
				`{"Node":"a","Address":"10.0.0.1","Checks":[{"CheckID":"web","ServiceID":"web"},{"CheckID":"db","ServiceID":"db"}]}`)
		}
	}
	_, _, text := askWithToken(t, c, tokens["service"], http.MethodPut, "/v1/catalog/deregister", `{"Node":"a","ServiceID":"none"}`)
	assert.Equal(t, "Unknown service ID 'none'", text)
	_, _, text = askWithToken(t, c, tokens["service"], http.MethodPut, "/v1/catalog/deregister", `{"Node":"a","CheckID":"none"}`)
	assert.Equal(t, "Unknown check ID 'none'", text)
}

func TestQueriesAndTokens(t *testing.T) {
	t.Parallel()
	c := guardedShop(t)
	reader := newToken(t, c, `service "web" { policy = "read" } node_prefix "" { policy = "read" }`)
	keeper := newToken(t, c, `query "q" { policy = "write" }`)
	watcher := newToken(t, c, `query "q" { policy = "read" }`)
	const own = `{"Name":"q","Service":{"Service":"web"}}`
	status, _, text := askWithToken(t, c, watcher, http.MethodPost, "/v1/query", own)
	assert.Equal(t, http.StatusForbidden, status)
	assert.Contains(t, text, `lacks permission 'query:write' on "q"`)
	status, _, text = askWithToken(t, c, keeper, http.MethodPost, "/v1/query", own)
	require.Equal(t, http.StatusOK, status, text)
	var made struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	status, _, _ = askWithToken(t, c, root, http.MethodPut, "/v1/query/"+made.ID, `{"Name":"q","Token":"`+reader+`","Service":{"Service":"web"}}`)
	require.Equal(t, http.StatusOK, status)

	nodes := func(secret string) int {
		_, _, body := askWithToken(t, c, secret, http.MethodGet, "/v1/query/q/execute", "")
		var answer struct{ Nodes []any }
		require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
		return len(answer.Nodes)
	}
	assert.Equal(t, 2, nodes(""), "it is executed with its own token")

	_, _, body := askWithToken(t, c, watcher, http.MethodGet, "/v1/query/"+made.ID, "")
	assert.Contains(t, body, `"Token":"\u003chidden\u003e"`)
	_, _, body = askWithToken(t, c, root, http.MethodGet, "/v1/query/q/explain", "")
	assert.Contains(t, body, `"Token":"`+reader+`"`)
	status, _, body = askWithToken(t, c, reader, http.MethodGet, "/v1/query/"+made.ID, "")
	assert.Equal(t, http.StatusForbidden, status)
	assert.Equal(t, "Permission denied", body)
	_, header, body := askWithToken(t, c, reader, http.MethodGet, "/v1/query", "")
	assert.Equal(t, "[]", body)
	assert.Equal(t, "true", header.Get("X-Consul-Results-Filtered-By-Acls"))

	status, _, text = askWithToken(t, c, root, http.MethodPost, "/v1/query", `{"Name":"t","Template":{"Type":"name_prefix_match"},"Service":{"Service":"web"}}`)
	require.Equal(t, http.StatusOK, status, text)
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	_, _, text = askWithToken(t, c, root, http.MethodGet, "/v1/query/"+made.ID+"/execute", "")
	assert.Equal(t, "prepared query templates can only be resolved up by name, not by ID", text)
}
