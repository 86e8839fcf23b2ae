package consul

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// repacked is an archive whose files an edit has changed.
func repacked(t *testing.T, archive []byte, edit func(map[string][]byte)) []byte {
	t.Helper()
	from, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	files := map[string][]byte{}
	for reader := tar.NewReader(from); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		files[header.Name], err = io.ReadAll(reader)
		require.NoError(t, err)
	}
	edit(files)
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	writer := tar.NewWriter(compressed)
	for name, content := range files {
		require.NoError(t, writer.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}))
		_, err := writer.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	require.NoError(t, compressed.Close())
	return out.Bytes()
}

func TestABrokenSnapshotChangesNothing(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ask(t, c, http.MethodPut, "/v1/kv/a", bytes.NewReader([]byte("1")))
	good := savedSnapshot(t, c)
	ask(t, c, http.MethodPut, "/v1/kv/a", bytes.NewReader([]byte("2")))
	const integrity = "failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "
	for name, test := range map[string]struct {
		archive []byte
		answer  string
	}{
		"empty":             {nil, "failed to decompress snapshot: EOF"},
		"no archive":        {[]byte("bad"), "failed to decompress snapshot: unexpected EOF"},
		"cut":               {good[:len(good)/2], "failed to read snapshot file: "},
		"changed":           {repacked(t, good, func(f map[string][]byte) { f[stateFile] = append(f[stateFile], '\n') }), integrity + `"state.bin"`},
		"without its state": {repacked(t, good, func(f map[string][]byte) { delete(f, stateFile) }), integrity + `"state.bin"`},
		"without its meta":  {repacked(t, good, func(f map[string][]byte) { delete(f, metaFile) }), integrity + `"meta.json"`},
		"with more": {repacked(t, good, func(f map[string][]byte) { f["extra"] = nil }),
			`failed to read snapshot file: unexpected file "extra" in snapshot`},
		"of something else": {repacked(t, good, func(f map[string][]byte) {
			f[stateFile] = []byte("\x82binary")
			f[sumsFile] = []byte(sumLine(metaFile, f[metaFile]) + sumLine(stateFile, f[stateFile]))
		}), "failed to restore snapshot: "},
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
	var archive bytes.Buffer
	require.NoError(t, writeArchive(&archive, archiveMeta{}, content))
	require.Greater(t, archive.Len(), maxBody)
	status, _, answer := ask(t, c, http.MethodPut, "/v1/snapshot", &archive)
	assert.Equal(t, http.StatusOK, status, answer)
}

// FuzzReadArchive reads whatever is sent: it is refused, or is what was written.
func FuzzReadArchive(f *testing.F) {
	var archive bytes.Buffer
	require.NoError(f, writeArchive(&archive, archiveMeta{}, []byte("state")))
	f.Add(archive.Bytes())
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if content, err := readArchive(bytes.NewReader(body)); err == nil {
			var again bytes.Buffer
			require.NoError(t, writeArchive(&again, archiveMeta{}, content))
		}
	})
}
