package consul

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// createdSession creates a session and returns it as it is then told.
func createdSession(t *testing.T, c *Consul, body string) *state.Session {
	t.Helper()
	status, _, answer := ask(t, c, http.MethodPut, "/v1/session/create", strings.NewReader(body))
	require.Equal(t, http.StatusOK, status, answer)
	var created struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(answer), &created))
	list := get[[]*state.Session](t, c, "/v1/session/info/"+created.ID)
	require.Len(t, list, 1)
	return list[0]
}

func TestASessionHasDefaults(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	created := createdSession(t, c, "")
	_, header, body := ask(t, c, http.MethodGet, "/v1/session/list", nil)
	assert.Equal(t, strings.NewReplacer("ID1", created.ID, "INDEX", header.Get("X-Consul-Index")).Replace(
		`[{"ID":"ID1","Name":"","Node":"dc1-1","LockDelay":15000000000,"Behavior":"release","TTL":"",`+
			`"NodeChecks":["serfHealth"],"ServiceChecks":null,"CreateIndex":INDEX,"ModifyIndex":INDEX}]`), body)
}

func TestASessionIsWhatItsBodySays(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerNode(t, c, "dc1-1", state.SerfHealth, "other")
	for body, want := range map[string]state.Session{
		`{"NodeChecks":[]}`:                         {NodeChecks: []string{}},
		`{"Checks":[]}`:                             {NodeChecks: []string{}},
		`{"Checks":["other"]}`:                      {NodeChecks: []string{"other"}},
		`{"NodeChecks":[],"Checks":["other"]}`:      {NodeChecks: []string{}, Checks: []string{"other"}},
		`{"ServiceChecks":[{"ID":"other"}]}`:        {ServiceChecks: []api.ServiceCheck{{ID: "other"}}},
		`{"LockDelay":"20s"}`:                       {LockDelay: 20 * time.Second},
		`{"LockDelay":5}`:                           {LockDelay: 5 * time.Second},
		`{"LockDelay":0}`:                           {LockDelay: -1},
		`{"LockDelay":999}`:                         {LockDelay: 999 * time.Second},
		`{"LockDelay":1000}`:                        {LockDelay: 1000},
		`{"LockDelay":5000000000}`:                  {LockDelay: 5 * time.Second},
		`{"ttl":"10s","behavior":"delete"}`:         {TTL: "10s", Behavior: "delete"},
		`{"TTL":"0s","Name":"n","ID":"is ignored"}`: {TTL: "0s", Name: "n"},
	} {
		got := createdSession(t, c, body)
		assert.NotEqual(t, "is ignored", got.ID)
		want.ID, want.Node, want.CreateIndex, want.ModifyIndex = got.ID, "dc1-1", got.CreateIndex, got.ModifyIndex
		if want.NodeChecks == nil {
			want.NodeChecks = []string{state.SerfHealth}
		}
		if want.Behavior == "" {
			want.Behavior = api.SessionBehaviorRelease
		}
		switch want.LockDelay {
		case 0:
			want.LockDelay = defaultLockDelay
		case -1:
			want.LockDelay = 0
		}
		assert.Equal(t, &want, got, body)
	}
}

func TestAWrongSessionIsRefusedLikeByTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	registerNode(t, c, "other", "critical")
	require.NoError(t, c.primary().store.Write(func(tx *state.Tx) error {
		return tx.PutCheck(state.Check{Node: "other", CheckID: "critical"})
	}))
	for _, test := range []struct {
		path, body string
		status     int
		answer     string
	}{
		{"create", `bad`, 400, "Request decode failed: invalid character 'b' looking for beginning of value"},
		{"create", `{"LockDelay":"x"}`, 400, `Request decode failed: time: invalid duration "x"`},
		{"create", `{"TTL":"5s"}`, 500, "Invalid Session TTL '5000000000', must be between [10s=24h0m0s]"},
		{"create", `{"TTL":"90000s"}`, 500, "Invalid Session TTL '90000000000000', must be between [10s=24h0m0s]"},
		{"create", `{"TTL":"x"}`, 500, `Session TTL 'x' invalid: time: invalid duration "x"`},
		{"create", `{"Behavior":"x"}`, 500, "Invalid Behavior setting 'x'"},
		{"create", `{"Node":"x"}`, 500, "apply failed: Missing node registration"},
		{"create", `{"Node":"other"}`, 500, "apply failed: Missing check 'serfHealth' registration"},
		{"create", `{"Node":"other","Checks":["critical"]}`, 500, "apply failed: Check 'critical' is in critical state"},
		{"destroy/", "", 400, "Missing session"},
		{"destroy/x", "", 200, "true"},
		{"renew/", "", 400, "Missing session"},
		{"renew/x", "", 404, "Session id 'x' not found"},
	} {
		status, _, body := ask(t, c, http.MethodPut, "/v1/session/"+test.path, strings.NewReader(test.body))
		assert.Equal(t, test.status, status, "%+v", test)
		assert.Equal(t, test.answer, body, "%+v", test)
	}
	for path, want := range map[string]string{
		"info/": "Missing session", "node/": "Missing node name", "info/x": "[]", "node/x": "[]",
	} {
		_, _, body := ask(t, c, http.MethodGet, "/v1/session/"+path, nil)
		assert.Equal(t, want, body, path)
	}
}

func TestASessionThatIsNotRenewedEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// No socket: connections would keep the bubble's clock from moving.
		c := start(t, Options{Datacenters: []Datacenter{{Agents: []Agent{{HTTP: "-"}}}}})
		d := c.primary()
		session := state.Session{ID: "s", Node: "dc1-1", TTL: "10s"}
		require.NoError(t, d.store.Write(func(tx *state.Tx) error {
			require.NoError(t, tx.CreateSession(state.Session{ID: "forever", Node: "dc1-1"}))
			return tx.CreateSession(session)
		}))
		synctest.Wait()
		time.Sleep(15 * time.Second)
		d.sessions.renew(&session)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		assert.NotNil(t, d.store.View().Session("s"))
		time.Sleep(5*time.Second + 1)
		synctest.Wait()
		assert.Nil(t, d.store.View().Session("s"))
		assert.NotNil(t, d.store.View().Session("forever"))
		assert.Empty(t, d.sessions.by)
	})
}

func TestASessionIDIsAUUID(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	id := createdSession(t, c, "{}").ID
	assert.Regexp(t, regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`), id)
}
