package files_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/files"
)

func TestListDescribesLinksThemselves(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/b.txt", "hello")
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "web/local/a")))

	list, err := directory.List("/web/local")
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, "Lrwxrwxrwx", list[0].FileMode)
	assert.Equal(t, "b.txt", list[1].Name)
	assert.Equal(t, int64(5), list[1].Size)
	assert.Equal(t, "-rw-------", list[1].FileMode)
	assert.Empty(t, list[1].ContentType)
}

func TestListOfTheRoot(t *testing.T) {
	t.Parallel()
	directory, _ := newDirectory(t)
	for _, path := range []string{"", "/", ".", "web/.."} {
		list, err := directory.List(path)
		require.NoError(t, err)
		var names []string
		for _, info := range list {
			names = append(names, info.Name)
			assert.True(t, info.IsDir)
		}
		assert.Equal(t, []string{"alloc", "later", "web"}, names, path)
	}
}

func TestStatTellsContentTypes(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	for name, content := range map[string]string{"empty": "", "a.txt": "text", "a.json": "{}", "a.HTML": "{}", "page": "<html>", "b.txt": "\x00\x01"} {
		write(t, dir, "web/local/"+name, content)
	}
	for path, want := range map[string]string{
		"/": "application/octet-stream", "web/local": "application/octet-stream",
		"web/local/empty": "application/octet-stream", "web/local/b.txt": "application/octet-stream",
		"web/local/a.txt": "text/plain; charset=utf-8", "web/local/a.HTML": "text/plain; charset=utf-8",
		"web/local/a.json": "application/json", "web/local/page": "text/html; charset=utf-8",
	} {
		info, err := directory.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.ContentType, path)
		assert.Equal(t, filepath.Base(filepath.Join(dir, path)), info.Name)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/a.txt", "text")
	write(t, dir, "web/secrets/token", "secret")
	write(t, dir, "web/private/key", "secret")
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "web/local/out")))
	require.NoError(t, os.Symlink("../secrets/token", filepath.Join(dir, "web/local/in")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "web/local/pipe"), 0o600))
	list := func(path string) error { _, err := directory.List(path); return err }
	stat := func(path string) error { _, err := directory.Stat(path); return err }
	cat := func(path string) error { _, err := directory.Cat(path); return err }
	stream := func(path string) error {
		return directory.Stream(t.Context(), files.StreamRequest{Path: path}, new(collector).send)
	}
	const escapes, secret = "Path escapes the alloc directory", "Reading secret file prohibited: "
	for _, c := range []struct {
		ask     func(string) error
		path    string
		status  int
		message string
	}{
		{list, "nope", http.StatusNotFound, "open " + dir + "/nope: no such file or directory"},
		{list, "web/local/a.txt", http.StatusInternalServerError, "open " + dir + "/web/local/a.txt: not a directory"},
		{list, "../..", http.StatusInternalServerError, escapes},
		{list, "web/local/out", http.StatusInternalServerError, escapes},
		{stat, "", http.StatusBadRequest, "must provide a file name"},
		{stat, "nope", http.StatusNotFound, "stat " + dir + "/nope: no such file or directory"},
		{stat, "web/../../x", http.StatusInternalServerError, escapes},
		{cat, "", http.StatusOK, "must provide a file name"},
		{cat, "nope", http.StatusOK, "stat " + dir + "/nope: no such file or directory"},
		{cat, "web", http.StatusOK, `file "web" is a directory`},
		{cat, "web/secrets", http.StatusOK, `file "web/secrets" is a directory`},
		{cat, "web/local/pipe", http.StatusOK, `file "web/local/pipe" is not a regular file`},
		{cat, "web/local/out", http.StatusOK, escapes},
		{cat, "/../etc/passwd", http.StatusOK, escapes},
		{cat, "web/secrets/token", http.StatusOK, secret + "web/secrets/token"},
		{cat, "/web/local/../secrets/token", http.StatusOK, secret + "/web/local/../secrets/token"},
		{cat, "web/local/in", http.StatusOK, secret + "web/local/in"},
		{cat, "web/private/key", http.StatusOK, "Reading private file prohibited: web/private/key"},
		{stream, "", http.StatusBadRequest, "must provide a file name"},
		{stream, "nope", http.StatusBadRequest, "stat " + dir + "/nope: no such file or directory"},
		{stream, "web", http.StatusBadRequest, `file "web" is a directory`},
		{stream, "../x", http.StatusBadRequest, escapes},
		{stream, "web/secrets/token", http.StatusInternalServerError, secret + "web/secrets/token"},
	} {
		requireRefused(t, c.ask(c.path), c.status, c.message)
	}
}

func TestReadAt(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/a", "<html>0123456789")
	write(t, dir, "alloc/secrets/a", "of no task")
	for _, c := range []struct {
		path          string
		offset, limit int64
		want          string
	}{
		{"web/local/a", 6, 3, "012"}, {"web/local/a", 14, 100, "89"}, {"web/local/a", 14, 0, "89"}, {"web/local/a", 14, -5, "89"},
		{"web/local/a", 99, 1, ""}, {"/web/local/./a", 0, 1, "<"}, {"alloc/secrets/a", 3, 2, "no"},
	} {
		content, err := directory.ReadAt(c.path, c.offset, c.limit)
		require.NoError(t, err)
		text, err := io.ReadAll(content)
		require.NoError(t, err)
		require.NoError(t, content.Close())
		assert.Equal(t, c.want, string(text))
	}
	content, err := directory.Cat("web/local/a")
	require.NoError(t, err)
	defer content.Close()
	assert.Equal(t, "text/plain", content.ContentType, "a browser must not run it")
	_, err = directory.ReadAt("web/local/a", -1, 0)
	requireRefused(t, err, http.StatusOK, "can't seek to offset -1: seek "+dir+"/web/local/a: invalid argument")
}

func FuzzCatStaysInside(f *testing.F) {
	for _, seed := range []string{"web/local/a", "../../outside", "/..//outside", "web/local/out", "web/local/up/outside", `..\outside`, "web/secrets/token"} {
		f.Add(seed)
	}
	top := f.TempDir()
	dir := filepath.Join(top, "allocation")
	for _, folder := range []string{"web/local", "web/secrets"} {
		require.NoError(f, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	for _, path := range []string{filepath.Join(top, "outside"), filepath.Join(dir, "web/secrets/token")} {
		require.NoError(f, os.WriteFile(path, []byte("hidden"), 0o600))
	}
	require.NoError(f, os.Symlink("../../../outside", filepath.Join(dir, "web/local/out")))
	require.NoError(f, os.Symlink("../../..", filepath.Join(dir, "web/local/up")))
	require.NoError(f, os.Symlink("../secrets", filepath.Join(dir, "web/local/mine")))
	directory := files.New(dir, func(task string) (known, started bool) { return task == "web", true })
	f.Fuzz(func(t *testing.T, path string) {
		content, err := directory.Cat(path)
		if err != nil {
			return
		}
		defer content.Close()
		text, err := io.ReadAll(content)
		if err == nil && strings.Contains(string(text), "hidden") {
			t.Fatalf("%q leads out", path)
		}
	})
}
