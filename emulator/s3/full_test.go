package s3

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// fullDisk is set in the process whose files the system keeps small.
const fullDisk = "DRYDOCK_S3_FULL_DISK"

// TestFullDisk runs itself in another process, where no file may grow over a
// limit: what is refused then leaves nothing, what is there stays readable, and
// all is well once there is room.
func TestFullDisk(t *testing.T) {
	if os.Getenv(fullDisk) == "" {
		t.Parallel()
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
		cmd.Env = append(os.Environ(), fullDisk+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Contains(t, string(out), "--- PASS: TestFullDisk")
		return
	}
	dir := t.TempDir()
	e, b := versioned(t, Options{Dir: dir, NoSync: true})
	require.NoError(t, e.CreateBucket("unversioned"))
	big := randomBytes(t, 6<<20)
	e.put(t, b, "before", "data")
	e.put(t, "unversioned", "before", "data")
	id, err := e.core.NewMultipartUpload(t.Context(), b, "parts", minio.PutObjectOptions{})
	require.NoError(t, err)
	var parts []minio.CompletePart
	for n := 1; n <= 2; n++ {
		p, err := e.core.PutObjectPart(t.Context(), b, "parts", id, n, bytes.NewReader(big), int64(len(big)), minio.PutObjectPartOptions{})
		require.NoError(t, err)
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	}

	signal.Ignore(syscall.SIGXFSZ)
	var was syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	room := func(n uint64) {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: was.Max}))
	}
	full := func(r reply) {
		t.Helper()
		require.Equal(t, http.StatusInsufficientStorage, r.status, r.body)
		require.Equal(t, "XMinioStorageFull", r.code(t))
		require.Empty(t, tmpFiles(t, e))
	}
	put := func(key string, data []byte) reply { return e.signed(t, http.MethodPut, "/"+b+"/"+key, data) }

	room(1 << 20)
	full(put("big", big))
	full(put("before", big))
	full(e.signed(t, http.MethodPut, "/"+b+"/parts?partNumber=3&uploadId="+id, big))
	_, err = e.core.CompleteMultipartUpload(t.Context(), b, "parts", id, parts, minio.PutObjectOptions{})
	require.Equal(t, "XMinioStorageFull", codeOf(err))
	require.Equal(t, http.StatusOK, put("small", []byte("x")).status, "what fits is taken")

	room(0)
	full(put("none", []byte("x")))
	full(put("before", []byte("x")))
	full(e.signed(t, http.MethodDelete, "/"+b+"/before", nil))
	full(e.signed(t, http.MethodDelete, "/unversioned/before", nil))
	full(e.signed(t, http.MethodPost, "/"+b+"/more?uploads", nil))
	full(e.signed(t, http.MethodPut, "/another", nil))
	full(e.signed(t, http.MethodPut, "/"+b+"?versioning", []byte("<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")))
	require.Equal(t, []string{"before data*", "small x*"}, e.history(t, b, ""))

	// Room for the record of a delete marker, and none for its file.
	log, err := os.Stat(e.st.j.cur.path)
	require.NoError(t, err)
	room(uint64(log.Size()) + 100)
	full(e.signed(t, http.MethodDelete, "/"+b+"/before", nil))

	room(was.Cur)
	require.Equal(t, http.StatusOK, put("big", big).status)
	_, err = e.core.CompleteMultipartUpload(t.Context(), b, "parts", id, parts, minio.PutObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, e.signed(t, http.MethodDelete, "/"+b+"/before", nil).status)
	require.NoError(t, e.Close())
	again := start(t, Options{Dir: dir, NoSync: true})
	require.Equal(t, fmt.Sprintf("%x", big), fmt.Sprintf("%x", again.read(t, b, "big")))
	require.Len(t, again.read(t, b, "parts"), 2*len(big))
	require.Equal(t, []string{"before -*", "before data"}, again.history(t, b, "before"))
	require.Equal(t, "data", again.read(t, "unversioned", "before"))
}

// TestFolderThatCannotBeWritten wants a line that says what is wrong.
func TestFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	keys := map[string]Key{testKey: {Secret: testSecret}}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(Options{Dir: filepath.Join(file, "s3"), Keys: keys})
	require.ErrorContains(t, err, file+": not a directory")
	if os.Getuid() != 0 {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o500))
		_, err := Open(Options{Dir: dir, Keys: keys})
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorContains(t, err, dir)
	}

	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "data")
	require.NoError(t, os.Remove(filepath.Join(e.opts.Dir, "tmp")))
	require.Equal(t, http.StatusInternalServerError, e.signed(t, http.MethodPut, "/"+b+"/key", []byte("other")).status)
	require.Equal(t, "data", e.read(t, b, "key"))
	require.NoError(t, os.Mkdir(filepath.Join(e.opts.Dir, "tmp"), 0o700))
	require.Equal(t, http.StatusOK, e.signed(t, http.MethodPut, "/"+b+"/key", []byte("other")).status)
}
