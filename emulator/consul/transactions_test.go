package consul

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul/state"
)

// queryPart is what the answer of a transaction has that only reads.
func queryPart(index int, leader bool) string {
	return fmt.Sprintf(`,"Index":%d,"LastContact":0,"KnownLeader":%t,"ConsistencyLevel":"",`+
		`"NotModified":false,"Backend":0,"ResultsFilteredByACLs":false`, index, leader)
}

func failedAt(index int, what string) string {
	return fmt.Sprintf(`{"Results":null,"Errors":[{"OpIndex":%d,"What":%q}]`, index, what)
}

func transact(t *testing.T, c *Consul, body string) (int, string) {
	t.Helper()
	status, _, answer := ask(t, c, http.MethodPut, "/v1/txn", strings.NewReader(body))
	return status, answer
}

func TestATransactionFailsLikeThatOfTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	session := createdSession(t, c, `{"LockDelay":0}`)
	ask(t, c, http.MethodPut, "/v1/kv/t1", strings.NewReader("hello"))
	ask(t, c, http.MethodPut, "/v1/kv/held?acquire="+session.ID, nil)
	t1, _ := c.primary().store.View().Key("t1")
	for operation, want := range map[string]string{
		`"Verb":"set"`:                                failedAt(0, "Must provide key") + "}",
		`"Verb":"get-tree"`:                           failedAt(0, "Must provide key") + queryPart(0, false) + "}",
		`"Verb":"bogus","Key":"a"`:                    failedAt(0, "unknown KV operation: bogus") + queryPart(0, false) + "}",
		`"Verb":"get","Key":"no"`:                     failedAt(0, `key "no" doesn't exist`) + queryPart(1, true) + "}",
		`"Verb":"cas","Key":"t1","Index":1000`:        failedAt(0, `failed to set key "t1", index is stale`) + "}",
		`"Verb":"cas","Key":"t1"`:                     failedAt(0, `failed to set key "t1", index is stale`) + "}",
		`"Verb":"delete-cas","Key":"t1","Index":1000`: failedAt(0, `failed to delete key "t1", index is stale`) + "}",
		`"Verb":"check-index","Key":"t1","Index":0`: failedAt(0, fmt.Sprintf(
			`failed index check for key "t1", current modify index %d != 0`, t1.ModifyIndex)) + queryPart(1, true) + "}",
		`"Verb":"check-index","Key":"no"`: failedAt(0, `failed to check index, key "no" doesn't exist`) + queryPart(1, true) + "}",
		`"Verb":"check-session","Key":"t1","Session":"x"`: failedAt(0,
			`failed session check for key "t1", current session "" != "x"`) + queryPart(1, true) + "}",
		`"Verb":"check-session","Key":"no"`:      failedAt(0, `failed to check session, key "no" doesn't exist`) + queryPart(1, true) + "}",
		`"Verb":"check-not-exists","Key":"t1"`:   failedAt(0, `key "t1" exists`) + queryPart(1, true) + "}",
		`"Verb":"lock","Key":"t1"`:               failedAt(0, "missing session") + "}",
		`"Verb":"lock","Key":"t1","Session":"x"`: failedAt(0, `invalid session "x"`) + "}",
		`"Verb":"unlock","Key":"t1"`:             failedAt(0, "missing session") + "}",
		`"Verb":"unlock","Key":"held","Session":"x"`: failedAt(0,
			`failed to unlock key "held", lock isn't held, or is held by another session`) + "}",
	} {
		status, answer := transact(t, c, `[{"KV":{`+operation+`}}]`)
		assert.Equal(t, http.StatusConflict, status, operation)
		assert.Equal(t, want, answer, operation)
	}
}

func TestATransactionThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for body, want := range map[string]string{
		"":                                      "Failed to parse body: EOF",
		"{}":                                    "Failed to parse body: json: cannot unmarshal object into Go value of type api.TxnOps",
		`[{"Session":{}}]`:                      `Failed to parse body: json: unknown field "Session"`,
		`[{"KV":{"Verb":"set","Value":"!!"}}]`:  "Failed to parse body: illegal base64 data at input byte 0",
		`[{"KV":{"Verb":"get","Unknown":"x"}}]`: `Failed to parse body: json: unknown field "Unknown"`,
	} {
		status, answer := transact(t, c, body)
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.Equal(t, want, answer, body)
	}
	many := "[" + strings.Repeat(`{"KV":{"Verb":"get","Key":"a"}},`, maximumOperations) + `{}]`
	status, answer := transact(t, c, many)
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.Equal(t, "Transaction contains too many operations (129 > 128)", answer)
	status, answer = transact(t, c, "["+strings.Repeat(" ", maximumValue))
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.Contains(t, answer, "config-files#txn_max_req_len.")
}

func TestATransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, answer := transact(t, c, `[
		{"KV":{"Verb":"set","Key":"a","Value":"aGVsbG8="}},
		{"KV":{"Verb":"get","Key":"a"}},
		{"KV":{"Verb":"get","Key":"no"}},
		{"KV":{"Verb":"check-not-exists","Key":"a"}}]`)
	assert.Equal(t, http.StatusConflict, status)
	assert.Equal(t, `{"Results":null,"Errors":[{"OpIndex":2,"What":"key \"no\" doesn't exist"},`+
		`{"OpIndex":3,"What":"key \"a\" exists"}]}`, answer)
	entry, _ := c.primary().store.View().Key("a")
	assert.Nil(t, entry)
}

func TestATransactionAnswersWhatItDid(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, answer := transact(t, c, `[
		{},
		{"KV":{"Verb":"set","Key":"a/1","Value":"aGVsbG8=","Flags":3}},
		{"KV":{"Verb":"cas","Key":"a/2"}},
		{"KV":{"Verb":"get","Key":"a/1"}},
		{"KV":{"Verb":"get-tree","Key":"a/"}},
		{"KV":{"Verb":"delete-tree","Key":"a"}},
		{"KV":{"Verb":"get-or-empty","Key":"a/1"}}]`)
	require.Equal(t, http.StatusOK, status, answer)
	first := `{"KV":{"LockIndex":0,"Key":"a/1","Flags":3,"Value":null,"CreateIndex":1,"ModifyIndex":1}}`
	full := `{"KV":{"LockIndex":0,"Key":"a/1","Flags":3,"Value":"aGVsbG8=","CreateIndex":1,"ModifyIndex":1}}`
	second := `{"KV":{"LockIndex":0,"Key":"a/2","Flags":0,"Value":null,"CreateIndex":1,"ModifyIndex":1}}`
	empty := `{"KV":{"LockIndex":0,"Key":"a/1","Flags":0,"Value":null,"CreateIndex":0,"ModifyIndex":0}}`
	index := c.primary().store.View().LastIndex()
	want := strings.Join([]string{first, second, full, full, second, empty}, ",")
	want = strings.ReplaceAll(want, "Index\":1", fmt.Sprintf("Index\":%d", index))
	assert.Equal(t, `{"Results":[`+want+`],"Errors":null}`, answer)

	status, answer = transact(t, c, `[{"KV":{"Verb":"check-not-exists","Key":"no"}}]`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, `{"Results":[],"Errors":null`+queryPart(1, true)+"}", answer)
}

func TestATransactionLocks(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	first, _, err := client.Session().Create(&api.SessionEntry{LockDelay: api.DefaultLockWaitTime}, nil)
	require.NoError(t, err)
	second, _, err := client.Session().Create(nil, nil)
	require.NoError(t, err)
	locking := func(verb api.KVOp, session string) string {
		ok, answer, _, err := client.Txn().Txn(api.TxnOps{{KV: &api.KVTxnOp{Verb: verb, Key: "l", Session: session}}}, nil)
		require.NoError(t, err)
		if ok {
			return ""
		}
		return answer.Errors[0].What
	}
	assert.Empty(t, locking(api.KVLock, first))
	assert.Empty(t, locking(api.KVCheckSession, first))
	assert.Equal(t, `failed to lock key "l", lock is already held`, locking(api.KVLock, second))
	assert.Empty(t, locking(api.KVUnlock, first))
	assert.Empty(t, locking(api.KVLock, first))
	_, err = client.Session().Destroy(first, nil)
	require.NoError(t, err)
	assert.Equal(t, `failed to lock key "l" due to lock delay`, locking(api.KVLock, second))
}

// FuzzTransaction runs whatever can be read as a transaction.
func FuzzTransaction(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `[null]`, `[{}]`, `[{"KV":null}]`,
		`[{"KV":{"Verb":"set","Key":"a","Value":"aGVsbG8="}},{"KV":{"Verb":"get-tree","Key":"a"}}]`,
		`[{"KV":{"Verb":"delete-tree"}},{"KV":{"Verb":"cas","Key":"b","Index":0}}]`,
		`[{"Node":{"Verb":"set","Node":{"Node":"n","Address":"::1"}}},{"Node":{"Verb":"delete","Node":{"Node":"n"}}}]`,
		`[{"Service":{"Verb":"cas","Node":"n","Service":{"ID":"s","Service":"s"}}}]`,
		`[{"Check":{"Verb":"set","Check":{"Node":"n","CheckID":"c","Definition":{"Interval":"1s"}}}}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		given, err := decodeTransaction(body)
		if err != nil {
			return
		}
		store, err := state.New()
		require.NoError(t, err)
		r := &request{dc: &datacenter{name: "dc1", store: store, consul: &Consul{}}, header: http.Header{}}
		before := store.View().LastIndex()
		answer, err := r.transact(operationsOf(given, "dc1"))
		require.NoError(t, err)
		if failed, ok := answer.(withStatus); ok {
			require.Equal(t, http.StatusConflict, failed.status)
			require.Equal(t, before, store.View().LastIndex(), "a failed transaction has left something")
		}
	})
}
