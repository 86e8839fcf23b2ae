package consul

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeysAnswerLikeTheRealProgram(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	put := http.MethodPut
	long := strings.Repeat("x", maximumValue+1)
	// In this order: each line works on what those before it have left.
	for _, test := range []struct {
		method, path, body string
		status             int
		answer             string
	}{
		{http.MethodGet, "/v1/kv/", "", 400, "Missing key name"},
		{put, "/v1/kv/", "x", 400, "Missing key name"},
		{http.MethodDelete, "/v1/kv/", "", 400, "Missing key name"},
		{http.MethodGet, "/v1/kv/a", "", 404, ""},
		{http.MethodGet, "/v1/kv/?recurse", "", 404, ""},
		{http.MethodGet, "/v1/kv/?keys", "", 200, "[]"},
		{http.MethodGet, "/v1/kv/a?keys", "", 404, ""},
		{put, "/v1/kv/a", "hello", 200, "true"},
		{http.MethodGet, "/v1/kv/a", "", 200, `[{"LockIndex":0,"Key":"a","Flags":0,"Value":"aGVsbG8=","CreateIndex":INDEX,"ModifyIndex":INDEX}]`},
		{http.MethodGet, "/v1/kv/a?raw", "", 200, "hello"},
		{put, "/v1/kv/empty", "", 200, "true"},
		{http.MethodGet, "/v1/kv/empty", "", 200, `[{"LockIndex":0,"Key":"empty","Flags":0,"Value":null,"CreateIndex":INDEX,"ModifyIndex":INDEX}]`},
		{put, "/v1/kv/a?flags=x", "", 500, `strconv.ParseUint: parsing "x": invalid syntax`},
		{put, "/v1/kv/a?cas=", "", 500, `strconv.ParseUint: parsing "": invalid syntax`},
		{put, "/v1/kv/a?cas=0", "other", 200, "false"},
		{put, "/v1/kv/new?cas=1", "other", 200, "false"},
		{put, "/v1/kv/new?cas=0", "other", 200, "true"},
		{put, "/v1/kv/a?acquire=x", "", 500, `raft apply failed: invalid session "x"`},
		{put, "/v1/kv/a?acquire=", "", 500, "raft apply failed: missing session"},
		{put, "/v1/kv/a?release=", "", 500, "raft apply failed: missing session"},
		{put, "/v1/kv/a?release=x", "", 200, "false"},
		{put, "/v1/kv/a?release=1&cas=3", "", 400, "Conflicting flags: cas=3&release=1"},
		{put, "/v1/kv/%20a", "", 500, "invalid key name, leading/trailing spaces are not allowed"},
		{put, "/v1/kv/a", long, 413, "Request body(524289 bytes) too large, max size: 524288 bytes. " +
			"See https://developer.hashicorp.com/docs/agent/config/config-files#kv_max_value_size."},
		{put, "/v1/kv/long", long[1:], 200, "true"},
		{http.MethodDelete, "/v1/kv/a?cas=1&recurse", "", 400, "Conflicting flags: cas=1&recurse="},
		{http.MethodDelete, "/v1/kv/a?cas=0", "", 200, "false"},
		{http.MethodDelete, "/v1/kv/none?cas=5", "", 200, "true"},
		{http.MethodDelete, "/v1/kv/none", "", 200, "true"},
		{http.MethodGet, "/v1/kv/a?dc=none", "", 500, "No path to datacenter"},
	} {
		status, header, body := ask(t, c, test.method, test.path, strings.NewReader(test.body))
		name := test.method + " " + test.path
		assert.Equal(t, test.status, status, name)
		assert.Equal(t, strings.ReplaceAll(test.answer, "INDEX", header.Get("X-Consul-Index")), body, name)
	}
}

func TestARawValueIsNoPage(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ask(t, c, http.MethodPut, "/v1/kv/page", strings.NewReader("<script>"))
	_, header, _ := ask(t, c, http.MethodGet, "/v1/kv/page?raw", nil)
	assert.Equal(t, "text/plain; charset=utf-8", header.Get("Content-Type"))
	assert.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
	assert.Equal(t, "sandbox", header.Get("Content-Security-Policy"))
}

func TestKeysAreListedUpToASeparator(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	kv := officialClient(t, c).KV()
	for _, key := range []string{"top", "x/a", "x/b", "x/c/d", "x/c/e", "x/f/"} {
		_, err := kv.Put(&api.KVPair{Key: key}, nil)
		require.NoError(t, err)
	}
	for _, test := range []struct {
		prefix, separator string
		want              []string
	}{
		{"x", "", []string{"x/a", "x/b", "x/c/d", "x/c/e", "x/f/"}},
		{"x/", "/", []string{"x/a", "x/b", "x/c/", "x/f/"}},
		{"x/c", "/", []string{"x/c/"}},
		{"", "/", []string{"top", "x/"}},
	} {
		names, _, err := kv.Keys(test.prefix, test.separator, nil)
		require.NoError(t, err)
		assert.Equal(t, test.want, names, "%+v", test)
	}
}

// answered is what a blocking query came back with.
type answered struct {
	pairs api.KVPairs
	meta  *api.QueryMeta
	err   error
}

// wait makes a blocking query of all below a prefix.
func wait(ctx context.Context, kv *api.KV, prefix string, index uint64) <-chan answered {
	came := make(chan answered, 1)
	go func() {
		pairs, meta, err := kv.List(prefix, (&api.QueryOptions{WaitIndex: index}).WithContext(ctx))
		came <- answered{pairs, meta, err}
	}()
	return came
}

func TestAKeyIsAwaited(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	kv := officialClient(t, c).KV()
	index := uint64(1)
	for i, change := range []func() error{
		func() error { _, err := kv.Put(&api.KVPair{Key: "w/a"}, nil); return err },
		func() error { _, err := kv.Put(&api.KVPair{Key: "w/b"}, nil); return err },
		func() error { _, err := kv.Delete("w/b", nil); return err },
		func() error { _, err := kv.DeleteTree("w", nil); return err },
	} {
		came := wait(t.Context(), kv, "w/", index)
		_, err := kv.Put(&api.KVPair{Key: "unrelated", Value: fmt.Append(nil, i)}, nil)
		require.NoError(t, err)
		require.NoError(t, change())
		select {
		case answer := <-came:
			require.NoError(t, answer.err)
			assert.Greater(t, answer.meta.LastIndex, index)
			index = answer.meta.LastIndex
		case <-time.After(10 * time.Second):
			require.Fail(t, "the change does not wake who waits", "change %d", i)
		}
	}
}

func TestWaitingForAKeyEnds(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	kv := officialClient(t, c).KV()
	pair, meta, err := kv.Get("none", &api.QueryOptions{WaitIndex: 1, WaitTime: 10 * time.Millisecond})
	require.NoError(t, err)
	assert.Nil(t, pair)
	assert.EqualValues(t, 1, meta.LastIndex)
}

func TestCompareAndSetAndDelete(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	kv := officialClient(t, c).KV()
	entry := &api.KVPair{Key: "a", Value: []byte("1"), Flags: 7}
	done, _, err := kv.CAS(entry, nil)
	require.NoError(t, err)
	assert.True(t, done)
	stored, _, err := kv.Get("a", nil)
	require.NoError(t, err)
	assert.EqualValues(t, 7, stored.Flags)

	done, _, err = kv.DeleteCAS(&api.KVPair{Key: "a", ModifyIndex: stored.ModifyIndex + 1}, nil)
	require.NoError(t, err)
	assert.False(t, done)
	stored.Value = []byte("2")
	done, _, err = kv.CAS(stored, nil)
	require.NoError(t, err)
	assert.True(t, done)
	stored, _, err = kv.Get("a", nil)
	require.NoError(t, err)
	done, _, err = kv.DeleteCAS(stored, nil)
	require.NoError(t, err)
	assert.True(t, done)
}
