package artifact

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/emulator/nomad/client/environment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const content = "what the task needs"

// archive is a gzipped tar with one file.
func archive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "in/side.txt", Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}))
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestFetch(t *testing.T) {
	t.Parallel()
	packed := archive(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/a.tar.gz":
			_, _ = w.Write(packed)
		case r.URL.Path == "/secret" && r.Header.Get("X-Key") != "k-web":
			w.WriteHeader(http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/missing"):
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(content))
		}
	}))
	t.Cleanup(server.Close)
	local := filepath.Join(t.TempDir(), "here.txt")
	require.NoError(t, os.WriteFile(local, []byte(content), 0o644))
	sum := sha256.Sum256([]byte(content))

	for name, c := range map[string]struct {
		artifact api.TaskArtifact
		at       string // relative to the task's directory
		fails    string
	}{
		"file over HTTP":     {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt")}, at: "local/x.txt"},
		"named":              {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/${task}.txt")}, at: "local/web.txt"},
		"destination":        {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), RelativeDest: new("local/a/b")}, at: "local/a/b/x.txt"},
		"file mode":          {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), RelativeDest: new("local/y"), GetterMode: new("file")}, at: "local/y"},
		"shared":             {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), RelativeDest: new("../alloc/data")}, at: "../alloc/data/x.txt"},
		"archive":            {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/a.tar.gz")}, at: "local/in/side.txt"},
		"archive as it is":   {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/a.tar.gz"), GetterOptions: map[string]string{"archive": "false"}}, at: "local/a.tar.gz"},
		"header":             {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/secret"), GetterHeaders: map[string]string{"X-Key": "k-${task}"}}, at: "local/secret"},
		"checksum":           {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), GetterOptions: map[string]string{"checksum": "sha256:" + hex.EncodeToString(sum[:])}}, at: "local/x.txt"},
		"file of a machine":  {artifact: api.TaskArtifact{GetterSource: new(local)}, at: "local/here.txt"},
		"file by URL":        {artifact: api.TaskArtifact{GetterSource: new("file://" + local)}, at: "local/here.txt"},
		"wrong checksum":     {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), GetterOptions: map[string]string{"checksum": "md5:00000000000000000000000000000000"}}, fails: "did not match"},
		"missing":            {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/missing.txt")}, fails: `failed to download artifact "` + server.URL + `/missing.txt": getter subprocess failed`},
		"refused":            {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/secret")}, fails: "403"},
		"outside":            {artifact: api.TaskArtifact{GetterSource: new(server.URL + "/x.txt"), RelativeDest: new("../../x")}, fails: "escapes the alloc directory"},
		"other ways than us": {artifact: api.TaskArtifact{GetterSource: new("git::http://127.0.0.1:1/x.git")}, fails: "failed to download"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "task")
			err := Fetch(t.Context(), &c.artifact, dir, environment.New(map[string]string{"task": "web"}, nil))
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			text, err := os.ReadFile(filepath.Join(dir, c.at))
			require.NoError(t, err)
			if !strings.HasSuffix(c.at, ".gz") {
				require.Equal(t, content, string(text))
			}
		})
	}
}
