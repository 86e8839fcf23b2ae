package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func written(t testing.TB, of Meta, state string) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Write(&out, of, []byte(state)))
	return out.Bytes()
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

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	saved := written(t, Meta{Index: 17, Server: "a", Address: "127.0.0.1:8300"}, "state")
	state, err := Read(bytes.NewReader(saved))
	require.NoError(t, err)
	assert.Equal(t, "state", string(state))
	repacked(t, saved, func(files map[string][]byte) {
		var meta described
		require.NoError(t, json.Unmarshal(files[metaFile], &meta))
		assert.Regexp(t, "^2-17-[0-9]+$", meta.ID)
		assert.EqualValues(t, 17, meta.Index)
		assert.EqualValues(t, len("state"), meta.Size)
		assert.Equal(t, []server{{ID: "a", Address: "127.0.0.1:8300"}}, meta.Configuration.Servers)
	})
}

func TestWhatIsBrokenIsNotRead(t *testing.T) {
	t.Parallel()
	good := written(t, Meta{}, "state")
	const integrity = "failed to read snapshot file: failed checking integrity of snapshot: hash check failed for "
	for name, test := range map[string]struct {
		archive []byte
		err     string
	}{
		"empty":             {nil, "failed to decompress snapshot: EOF"},
		"no archive":        {[]byte("bad"), "failed to decompress snapshot: unexpected EOF"},
		"cut":               {good[:len(good)/2], "failed to read snapshot file: "},
		"changed":           {repacked(t, good, func(f map[string][]byte) { f[stateFile] = append(f[stateFile], '\n') }), integrity + `"state.bin"`},
		"without its state": {repacked(t, good, func(f map[string][]byte) { delete(f, stateFile) }), integrity + `"state.bin"`},
		"without its meta":  {repacked(t, good, func(f map[string][]byte) { delete(f, metaFile) }), integrity + `"meta.json"`},
		"with more": {repacked(t, good, func(f map[string][]byte) { f["extra"] = nil }),
			`failed to read snapshot file: unexpected file "extra" in snapshot`},
	} {
		_, err := Read(bytes.NewReader(test.archive))
		assert.ErrorContains(t, err, test.err, name)
	}
}

// FuzzRead reads whatever is sent: it is refused, or is what was written.
func FuzzRead(f *testing.F) {
	f.Add(written(f, Meta{}, "state"))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if content, err := Read(bytes.NewReader(body)); err == nil {
			written(t, Meta{}, string(content))
		}
	})
}
