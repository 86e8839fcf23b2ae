package consul

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/archive"
	"github.com/drydock/drydock/emulator/consul/state"
)

func savedSnapshot(t *testing.T, c *Consul) []byte {
	t.Helper()
	status, header, body := ask(t, c, http.MethodGet, "/v1/snapshot", nil)
	require.Equal(t, http.StatusOK, status, body)
	assert.Equal(t, "application/x-gzip", header.Get("Content-Type"))
	assert.NotEmpty(t, header.Get("X-Consul-Index"))
	return []byte(body)
}

func TestASnapshotIsRestored(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	kept := createdSession(t, c, `{"TTL":"10s"}`)
	_, err := client.KV().Put(&api.KVPair{Key: "a/kept", Value: []byte("1")}, nil)
	require.NoError(t, err)
	saved, meta, err := client.Snapshot().Save(nil)
	require.NoError(t, err)
	defer saved.Close()
	_, err = client.KV().Put(&api.KVPair{Key: "a/later"}, nil)
	require.NoError(t, err)
	_, err = client.Session().Destroy(kept.ID, nil)
	require.NoError(t, err)
	_, before, err := client.KV().List("a/", nil)
	require.NoError(t, err)
	assert.Greater(t, before.LastIndex, meta.LastIndex)
	waiting := wait(t.Context(), client.KV(), "a/", before.LastIndex)

	require.NoError(t, client.Snapshot().Restore(nil, saved))
	answer := <-waiting
	require.NoError(t, answer.err)
	require.Len(t, answer.pairs, 1)
	assert.Equal(t, "1", string(answer.pairs[0].Value))
	assert.Greater(t, answer.meta.LastIndex, before.LastIndex, "the index has gone back")
	assert.Len(t, get[[]any](t, c, "/v1/session/info/"+kept.ID), 1)
}

func TestARestoreLeavesTheAgentsTheirServices(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	client := officialClient(t, c)
	saved, _, err := client.Snapshot().Save(nil)
	require.NoError(t, err)
	defer saved.Close()
	require.NoError(t, client.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "web"}))
	require.NoError(t, client.Snapshot().Restore(nil, saved))
	services, err := client.Agent().Services()
	require.NoError(t, err)
	assert.Contains(t, services, "web")
	instances, _, err := client.Catalog().Service("web", "", nil)
	require.NoError(t, err)
	assert.Len(t, instances, 1)
}

func TestABrokenSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ask(t, c, http.MethodPut, "/v1/kv/a", bytes.NewReader([]byte("1")))
	good := savedSnapshot(t, c)
	ask(t, c, http.MethodPut, "/v1/kv/a", bytes.NewReader([]byte("2")))
	var foreign bytes.Buffer
	require.NoError(t, archive.Write(&foreign, archive.Meta{}, []byte("\x82binary")))
	for name, test := range map[string]struct {
		archive []byte
		answer  string
	}{
		"cut":               {good[:len(good)/2], "failed to read snapshot file: "},
		"of something else": {foreign.Bytes(), "failed to restore snapshot: "},
	} {
		status, _, answer := ask(t, c, http.MethodPut, "/v1/snapshot", bytes.NewReader(test.archive))
		assert.Equal(t, http.StatusInternalServerError, status, name)
		assert.Contains(t, answer, test.answer, name)
		_, _, value := ask(t, c, http.MethodGet, "/v1/kv/a?raw", nil)
		assert.Equal(t, "2", value, name)
	}
}

func TestASnapshotMayBeLong(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	noise := make([]byte, maxBody)
	rand.NewChaCha8([32]byte{}).Read(noise)
	row, err := json.Marshal(state.Key{Key: "a", Value: noise})
	require.NoError(t, err)
	content := fmt.Appendf(nil, "[{\"t\":\"keys\",\"r\":%s}]\n", row)
	var long bytes.Buffer
	require.NoError(t, archive.Write(&long, archive.Meta{}, content))
	require.Greater(t, long.Len(), maxBody)
	status, _, answer := ask(t, c, http.MethodPut, "/v1/snapshot", &long)
	assert.Equal(t, http.StatusOK, status, answer)
}
