package nomad

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestVariables(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	items := api.VariableItems{"k1": "v1", "k2": "v2"}
	first, meta, err := c.Variables().Create(&api.Variable{Path: "my/first", Items: items}, nil)
	require.NoError(t, err)
	assert.NotZero(t, meta.LastIndex)
	assert.Equal(t, items, first.Items)
	assert.Equal(t, "default", first.Namespace)
	second, _, err := c.Variables().Create(&api.Variable{Path: "other", Items: items}, nil)
	require.NoError(t, err)
	first.Items["k3"] = "v3"
	changed, _, err := c.Variables().Update(first, nil)
	require.NoError(t, err)
	assert.Equal(t, first.CreateIndex, changed.CreateIndex)
	assert.Greater(t, changed.ModifyIndex, first.ModifyIndex)
	read, _, err := c.Variables().Read("my/first", nil)
	require.NoError(t, err)
	assert.Equal(t, changed, read)

	list, _, err := c.Variables().List(nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.VariableMetadata{changed.Metadata(), second.Metadata()}, list)
	list, query, err := c.Variables().List(&api.QueryOptions{PerPage: 1})
	require.NoError(t, err)
	assert.Equal(t, []*api.VariableMetadata{changed.Metadata()}, list)
	assert.Equal(t, "default.other", query.NextToken)
	list, _, err = c.Variables().PrefixList("my", nil)
	require.NoError(t, err)
	assert.Len(t, list, 1)

	_, err = c.Variables().Delete("my/first", nil)
	require.NoError(t, err)
	_, _, err = c.Variables().Read("my/first", nil)
	assert.ErrorIs(t, err, api.ErrVariablePathNotFound)
	_, err = c.Variables().Delete("my/first", nil)
	assert.NoError(t, err, "what is gone already")
}

func TestVariablesAreSwapped(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	first, _, err := c.Variables().CheckedCreate(&api.Variable{Path: "a", Items: api.VariableItems{"k": "v"}}, nil)
	require.NoError(t, err)
	var conflict api.ErrCASConflict
	_, _, err = c.Variables().CheckedCreate(&api.Variable{Path: "a", Items: api.VariableItems{"k": "w"}}, nil)
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, first, conflict.Conflict)
	_, err = c.Variables().CheckedDelete("a", 1, nil)
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, first, conflict.Conflict)
	_, err = c.Variables().CheckedDelete("b", 1, nil)
	require.ErrorAs(t, err, &conflict)
	assert.Equal(t, &api.Variable{Namespace: "default", Path: "b"}, conflict.Conflict)
	first.Items["k"] = "w"
	second, _, err := c.Variables().CheckedUpdate(first, nil)
	require.NoError(t, err)
	_, err = c.Variables().CheckedDelete("a", second.ModifyIndex, nil)
	require.NoError(t, err)
}

func TestVariablesThatAreRefused(t *testing.T) {
	t.Parallel()
	n := start(t, Options{})
	items := map[string]any{"Items": map[string]string{"k": "v"}}
	put := func(path string, body any, text string) refusal {
		return refusal{http.MethodPut, "/v1/var/" + path, body, 400, text}
	}
	const below = `"nomad/job-templates" is a reserved directory path, but you may write variables at the level below it, for example, "nomad/job-templates/template-name"`
	for _, r := range []refusal{
		put("", items, "missing variable path"),
		put("a", nil, "Request body is empty"),
		put("a", "{", "unexpected EOF"),
		put("a", map[string]any{}, "variable missing required Items object"),
		put("a?cas=x", items, `can not parse cas: strconv.ParseUint: parsing "x": invalid syntax`),
		put("a%20b", items, `RPC Error:: 400,invalid path "a b"`),
		put(strings.Repeat("x", 129), items, `RPC Error:: 400,invalid path "`+strings.Repeat("x", 129)+`"`),
		put("nomad", items, `RPC Error:: 400,"nomad" is a reserved top-level directory path, but you may write variables to "nomad/jobs", "nomad/job-templates", "nomad/sentinel", or below`),
		put("nomad/foo", items, `RPC Error:: 400,only paths at "nomad/jobs" or "nomad/job-templates" and below are valid paths under the top-level "nomad" directory`),
		put("nomad/job-templates", items, "RPC Error:: 400,"+below),
		put("nomad/job-templates/x/y", items, "RPC Error:: 400,"+below),
		put("a?namespace=*", items, `RPC Error:: 400,can not target wildcard ("*")namespace`),
		put("a", map[string]any{"Items": map[string]string{"k": strings.Repeat("x", 64<<10)}}, "RPC Error:: 400,variables are limited to 64KiB in total size"),
		put("a", map[string]any{"Items": map[string]string{"k": "v"}, "Lock": map[string]string{"TTL": "15s"}}, "RPC Error:: 400,RPC Error:: 400,variable should not contain lock definition"),
		put("a?lock-acquire&lock-release", items, "multiple lock operations"),
		put("a?lock-acquire&cas=1", items, "CAS can't be used with lock operations"),
		put("a?lock-acquire", map[string]any{"Lock": map[string]string{"TTL": "9s"}}, "RPC Error:: 400,1 error occurred:\n\t* TTL must be between 10 seconds and 24 hours\n\n"),
		put("a?lock-acquire", map[string]any{"Lock": map[string]string{"LockDelay": "-1s"}}, "RPC Error:: 400,1 error occurred:\n\t* Lock delay and TTL must be positive\n\n"),
		put("a?lock-acquire", map[string]any{"Lock": map[string]string{"TTL": "x"}}, `time: invalid duration "x"`),
		put("a?lock-release", map[string]any{}, "RPC Error:: 400,missing lock information"),
		put("a?lock-release", items, "RPC Error:: 400,lock release operation doesn't take variable items"),
		{http.MethodPut, "/v1/var/a?lock-renew", map[string]any{}, 500, "1 error occurred:\n\t* missing lock ID\n\n"},
		{http.MethodPut, "/v1/var/a?lock-renew", map[string]any{"Lock": map[string]string{"ID": "x"}}, 404, "variable doesn't exist"},
		{http.MethodPut, "/v1/var/a?lock-release", map[string]any{"Lock": map[string]string{"ID": "x"}}, 500, "variable doesn't exist"},
		{http.MethodGet, "/v1/var/", nil, 400, "missing variable path"},
		{http.MethodGet, "/v1/var/a", nil, 404, "variable not found"},
		{http.MethodGet, "/v1/var/a?namespace=*", nil, 404, "variable not found"},
	} {
		r.check(t, n, "")
	}
	for _, path := range []string{"nomad/jobs", "nomad/jobs/a/b/c", "nomad/job-templates/x", "a_b-c~d", strings.Repeat("x", 128)} {
		status, text := ask(t, n, "", http.MethodPut, "/v1/var/"+path, items)
		assert.Equal(t, 200, status, "%s: %s", path, text)
	}
	refusal{http.MethodGet, "/v1/vars?filter=Path==a", nil, 400,
		`failed to read result page: error finding value in datum: /Path at part 0: couldn't find key: struct field with name "Path"`}.check(t, n, "")
}

func TestLocksOfVariables(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{}))
	plain, _, err := c.Variables().Create(&api.Variable{Path: "a", Items: api.VariableItems{"k": "v"}}, nil)
	require.NoError(t, err)
	held, _, err := c.Variables().AcquireLock(&api.Variable{Path: "a", Items: plain.Items}, nil)
	require.NoError(t, err)
	assert.NotEqual(t, plain.ModifyIndex, held.ModifyIndex)
	assert.Equal(t, plain.Items, held.Items)
	assert.Equal(t, "15s", held.Lock.TTL)
	renewed, _, err := c.Variables().RenewLock(held, nil)
	require.NoError(t, err)
	assert.Equal(t, held.ModifyIndex, renewed.ModifyIndex)
	assert.Equal(t, held.Lock, renewed.Lock)
	list, _, err := c.Variables().List(nil)
	require.NoError(t, err)
	assert.Equal(t, held.Lock, list[0].Lock)

	nobody := `409 ({"Namespace":"default","Path":"a","CreateIndex":0,"ModifyIndex":0,"CreateTime":0,"ModifyTime":0})`
	other := &api.Variable{Path: "a", Items: plain.Items, Lock: &api.VariableLock{ID: "other"}}
	for _, change := range []func(*api.Variable, *api.WriteOptions) (*api.Variable, *api.WriteMeta, error){
		c.Variables().AcquireLock, c.Variables().Update,
	} {
		_, _, err = change(other, nil)
		assert.ErrorContains(t, err, nobody)
	}
	_, _, err = c.Variables().RenewLock(other, nil)
	assert.ErrorContains(t, err, "attempting to modify locked variable")
	_, err = c.Variables().Delete("a", nil)
	assert.ErrorContains(t, err, nobody)
	written, _, err := c.Variables().Update(&api.Variable{
		Path: "a", Items: api.VariableItems{"k": "w"}, Lock: &api.VariableLock{ID: held.LockID()},
	}, nil)
	require.NoError(t, err, "who holds the lock may write")
	assert.Equal(t, held.Lock, written.Lock)
	again, _, err := c.Variables().AcquireLock(&api.Variable{Path: "a", Lock: held.Lock}, nil)
	require.NoError(t, err, "and take it anew")
	assert.Empty(t, again.Items)

	held.Items = nil
	released, _, err := c.Variables().ReleaseLock(held, nil)
	require.NoError(t, err)
	assert.Nil(t, released.Lock)
	assert.Empty(t, released.Items)
	_, _, err = c.Variables().RenewLock(held, nil)
	assert.ErrorContains(t, err, "variable doesn't hold a lock")
	_, _, err = c.Variables().AcquireLock(&api.Variable{Path: "new"}, nil)
	assert.NoError(t, err, "a lock needs no variable before it")
}

func TestLocksThatAreNotRenewedAreLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, err := state.New()
		require.NoError(t, err)
		var l locks
		lock := &api.VariableLock{ID: "x", TTL: "10s", LockDelay: "5s"}
		require.NoError(t, store.Write(func(tx *state.Tx) error {
			tx.UpsertVariable(&state.Variable{VariableMetadata: api.VariableMetadata{Namespace: "default", Path: "a", Lock: lock}})
			return nil
		}))
		due := func() int {
			list, next := l.due(store.View(), time.Now())
			assert.True(t, len(list) > 0 != !next.IsZero(), "either something is due, or it will be")
			return len(list)
		}
		assert.Zero(t, due(), "a lock from before a restart is held anew")
		time.Sleep(15 * time.Second)
		assert.False(t, l.lost(lock))
		l.renew(lock)
		time.Sleep(20 * time.Second)
		assert.True(t, l.lost(lock), "after twice its TTL")
		assert.Zero(t, due(), "others have to wait")
		time.Sleep(5 * time.Second)
		assert.Equal(t, 1, due())
	})
}

func TestVariablesAndTheirKeysSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, Options{Dir: dir})
	_, _, err := connect(t, n).Variables().Create(&api.Variable{Path: "a", Items: api.VariableItems{"k": "most secret"}}, nil)
	require.NoError(t, err)
	require.NoError(t, n.Close())
	journal, err := os.ReadFile(filepath.Join(dir, "global", "server", "state.journal"))
	require.NoError(t, err)
	assert.NotContains(t, string(journal), "most secret")

	read, _, err := connect(t, start(t, Options{Dir: dir})).Variables().Read("a", nil)
	require.NoError(t, err)
	assert.Equal(t, "most secret", read.Items["k"])
}

func TestWhoMayDoWhatWithVariables(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	for _, path := range []string{"a/b", "a/c", "b"} {
		_, _, err := root.Variables().Create(&api.Variable{Path: path, Items: api.VariableItems{"k": "v"}}, nil)
		require.NoError(t, err)
	}
	reader := holding(t, root, `namespace "default" { variables { path "a/*" { capabilities = ["read"] } path "a/c" { capabilities = ["list"] } } }`)
	writer, _, err := root.ACLTokens().Create(&api.ACLToken{Type: "client", Policies: []string{"w"}}, nil)
	require.NoError(t, err)
	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "w",
		Rules: `namespace "default" { variables { path "a/b" { capabilities = ["write"] } path "b" { capabilities = ["destroy"] } } }`}, nil)
	require.NoError(t, err)
	body := map[string]any{"Items": map[string]string{"k": "v"}}
	for _, test := range []struct {
		secret, method, path string
		status               int
	}{
		{reader, http.MethodGet, "a/b", 200},
		{reader, http.MethodGet, "a/c", 403},
		{reader, http.MethodGet, "b", 403},
		{reader, http.MethodGet, "a/nope", 404},
		{reader, http.MethodPut, "a/b", 403},
		{reader, http.MethodDelete, "a/b", 403},
		{writer.SecretID, http.MethodGet, "a/b", 403},
		{writer.SecretID, http.MethodPut, "a/b", 200},
		{writer.SecretID, http.MethodPut, "b", 403},
		{writer.SecretID, http.MethodPut, "b?lock-acquire", 403},
		{writer.SecretID, http.MethodDelete, "b?cas=1", 409},
		{writer.SecretID, http.MethodDelete, "b", 204},
	} {
		status, text := ask(t, n, test.secret, test.method, "/v1/var/"+test.path, body)
		assert.Equal(t, test.status, status, "%+v: %s", test, text)
	}
	list, _, err := withToken(t, n, reader).Variables().List(nil)
	require.NoError(t, err)
	assert.Len(t, list, 2)
	_, text := ask(t, n, writer.SecretID, http.MethodPut, "/v1/var/a/b?cas=1", body)
	var conflict api.Variable
	require.NoError(t, json.Unmarshal([]byte(text), &conflict))
	assert.NotZero(t, conflict.ModifyIndex)
	assert.Empty(t, conflict.Items, "who may not read learns nothing from a conflict")
}
