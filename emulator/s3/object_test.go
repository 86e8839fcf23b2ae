package s3

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

func TestObjectRoundTrip(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	for _, size := range []int{0, 1, 1000, 64 << 10, copyBufSize, copyBufSize + 1, 3<<20 + 7} {
		data := randomBytes(t, size)
		info, err := e.PutObject(ctx, b, "key", bytes.NewReader(data), int64(size), minio.PutObjectOptions{
			ContentType: "image/png", CacheControl: "max-age=60", ContentDisposition: "inline",
			ContentEncoding: "gzip", ContentLanguage: "en",
			UserMetadata: map[string]string{"Owner": "me", "Note": "a  b"},
		})
		require.NoError(t, err, size)
		require.Equal(t, fmt.Sprintf("%x", md5.Sum(data)), info.ETag)

		st, err := e.StatObject(ctx, b, "key", minio.StatObjectOptions{})
		require.NoError(t, err)
		require.Equal(t, int64(size), st.Size)
		require.Equal(t, info.ETag, st.ETag)
		require.Equal(t, "image/png", st.ContentType)
		require.Equal(t, "me", st.UserMetadata["Owner"])
		require.Equal(t, "max-age=60", st.Metadata.Get("Cache-Control"))
		require.Equal(t, "inline", st.Metadata.Get("Content-Disposition"))
		require.Equal(t, "gzip", st.Metadata.Get("Content-Encoding"), "aws-chunked is not kept")
		require.Equal(t, "en", st.Metadata.Get("Content-Language"))
		require.WithinDuration(t, time.Now(), st.LastModified, time.Minute)
		require.Equal(t, string(data), e.read(t, b, "key"))
	}
	require.NoError(t, e.RemoveObject(ctx, b, "key", minio.RemoveObjectOptions{}))
	_, err := e.StatObject(ctx, b, "key", minio.StatObjectOptions{})
	require.Equal(t, "NoSuchKey", codeOf(err))
	require.NoError(t, e.RemoveObject(ctx, b, "key", minio.RemoveObjectOptions{}), "removing what is absent is no error")
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	data := randomBytes(t, 200<<10)
	for _, c := range checksumTypes() {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			want := c.EncodeToString(data)
			for _, plain := range []bool{true, false} { // UNSIGNED-PAYLOAD trailer, signed trailer
				key := fmt.Sprintf("%s-%v", c, plain)
				_, err := e.PutObject(ctx, b, key, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{
					Checksum: c, DisableContentSha256: plain,
				})
				require.NoError(t, err)
				st, err := e.StatObject(ctx, b, key, minio.StatObjectOptions{Checksum: true})
				require.NoError(t, err)
				require.Equal(t, want, st.Checksum(c))
				require.Equal(t, string(data), e.read(t, b, key))
			}
			r := e.signed(t, http.MethodPut, "/"+b+"/header", data, c.Key(), want)
			require.Equal(t, 200, r.status, r.body)
			require.Equal(t, want, r.header.Get(c.Key()))
			r = e.signed(t, http.MethodPut, "/"+b+"/wrong", data, c.Key(), c.EncodeToString([]byte("other")))
			require.Equal(t, "XAmzContentChecksumMismatch", r.code(t))
			r = e.signed(t, http.MethodPut, "/"+b+"/wrong", data, c.Key(), "short")
			require.Equal(t, "InvalidRequest", r.code(t))
			require.Equal(t, 404, e.signed(t, http.MethodGet, "/"+b+"/wrong", nil).status)
		})
	}
}

func TestPutRefusals(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	sum := md5.Sum([]byte("data"))
	for name, c := range map[string]struct {
		header []string
		code   string
	}{
		"bad md5":        {[]string{"Content-Md5", base64.StdEncoding.EncodeToString(make([]byte, 16))}, "BadDigest"},
		"invalid md5":    {[]string{"Content-Md5", "x"}, "InvalidDigest"},
		"encryption":     {[]string{"X-Amz-Server-Side-Encryption", "AES256"}, "NotImplemented"},
		"tags":           {[]string{"X-Amz-Tagging", "a=b&a=c"}, "InvalidTag"},
		"lock":           {[]string{"X-Amz-Object-Lock-Mode", "GOVERNANCE"}, "InvalidRequest"},
		"class":          {[]string{"X-Amz-Storage-Class", "COLD"}, "InvalidStorageClass"},
		"metadata":       {[]string{"X-Amz-Meta-Big", strings.Repeat("x", 3000)}, "MetadataTooLarge"},
		"other checksum": {[]string{"X-Amz-Checksum-Md5", "x"}, "InvalidArgument"},
		"two checksums":  {[]string{"X-Amz-Checksum-Crc32", "AAAAAA==", "X-Amz-Checksum-Crc32c", "AAAAAA=="}, "InvalidRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := e.signed(t, http.MethodPut, "/"+b+"/refused", []byte("data"), c.header...)
			require.Equal(t, c.code, r.code(t))
			require.Equal(t, 404, e.signed(t, http.MethodGet, "/"+b+"/refused", nil).status)
		})
	}
	r := e.signed(t, http.MethodPut, "/"+b+"/good", []byte("data"), "Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	require.Equal(t, 200, r.status)
	r = e.do(t, e.sign(t, e.request(t, http.MethodPut, "/"+b+"/hash", []byte("data")), hexSHA256("data")))
	require.Equal(t, 200, r.status)
	r = e.do(t, e.sign(t, e.request(t, http.MethodPut, "/"+b+"/hash", []byte("data")), hexSHA256("other")))
	require.Equal(t, "XAmzContentSHA256Mismatch", r.code(t))
	r = e.do(t, e.sign(t, e.request(t, http.MethodPut, "/"+b+"/hash", []byte("data")), "nonsense"))
	require.Equal(t, "XAmzContentSHA256Mismatch", r.code(t))
	require.Equal(t, "data", e.read(t, b, "hash"))
}

func TestBodyThatLies(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{BodyTimeout: 100 * time.Millisecond})
	req := e.request(t, http.MethodPut, "/"+b+"/short", nil)
	pr, pw := io.Pipe()
	req.Body, req.ContentLength = pr, -1
	e.sign(t, req, unsignedPayload)
	go func() {
		_, _ = pw.Write([]byte("data"))
		_ = pw.Close()
	}()
	r := e.do(t, req)
	require.Equal(t, 411, r.status)
	require.Equal(t, "MissingContentLength", r.code(t))

	// A client that stalls gets an answer and the server its connection back.
	req = e.request(t, http.MethodPut, "/"+b+"/stalled", nil)
	pr, pw = io.Pipe()
	req.Body, req.ContentLength = pr, 1000
	e.sign(t, req, unsignedPayload)
	go func() { _, _ = pw.Write([]byte("data")) }()
	r = e.do(t, req)
	_ = pw.Close()
	require.Equal(t, "RequestTimeout", r.code(t))

	// A client that goes away leaves nothing.
	req = e.request(t, http.MethodPut, "/"+b+"/gone", nil)
	pr, pw = io.Pipe()
	req.Body, req.ContentLength = pr, 1000
	e.sign(t, req, unsignedPayload)
	go func() {
		_, _ = pw.Write([]byte("data"))
		_ = pw.CloseWithError(errors.New("gone"))
	}()
	_, err := e.http.Do(req)
	require.Error(t, err)
	for _, key := range []string{"short", "stalled", "gone"} {
		require.Equal(t, 404, e.signed(t, http.MethodHead, "/"+b+"/"+key, nil).status)
	}
	eventually(t, func() bool { return len(tmpFiles(t, e)) == 0 }, "temporary files are removed")
}

func tmpFiles(t testing.TB, e *endpoint) []string {
	t.Helper()
	names, err := readNames(filepath.Join(e.opts.Dir, "tmp"))
	require.NoError(t, err)
	return names
}

func TestConditionalPutHasOneWinner(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	race := func(name string, set func(*minio.PutObjectOptions)) (won int32) {
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				var o minio.PutObjectOptions
				set(&o)
				data := fmt.Sprintf("%s racer %d", name, i)
				_, err := e.PutObject(ctx, b, "raced", strings.NewReader(data), int64(len(data)), o)
				if err == nil {
					wins.Add(1)
				} else if c := codeOf(err); c != "PreconditionFailed" {
					t.Errorf("unexpected error %v", err)
				}
			})
		}
		wg.Wait()
		return wins.Load()
	}
	require.EqualValues(t, 1, race("first", func(o *minio.PutObjectOptions) { o.SetMatchETagExcept("*") }))
	st, err := e.StatObject(ctx, b, "raced", minio.StatObjectOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, race("second", func(o *minio.PutObjectOptions) { o.SetMatchETag(st.ETag) }))
	r := e.signed(t, http.MethodPut, "/"+b+"/absent", nil, "If-Match", `"x"`)
	require.Equal(t, "NoSuchKey", r.code(t))
	r = e.signed(t, http.MethodDelete, "/"+b+"/raced", nil, "If-Match", `"x"`)
	require.Equal(t, "PreconditionFailed", r.code(t))
}

func TestKeysOfAnyShape(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := []string{
		"a", "a/b", "a/b/", "a//b", "//", "/", "/leading", "..", "../..", "../../../etc/passwd", "a/../b", "./a", ".",
		"trailing/", "sp ace", "plus+", "per%cent", "%2e%2e%2f", "q?mark", "am&p", "semi;colon", "quo\"te", "back\\slash",
		"tab\t", "new\nline", "ünïcödé/日本語/🚀", "<xml>&amp;", "CON", "key.json", strings.Repeat("k", 1024),
		strings.Repeat("d/", 512), strings.Repeat("é", 512), "~tilde", "a*b", "(paren)'!$,:=@",
	}
	open := func(t *testing.T) *endpoint { return start(t, Options{Dir: dir, NoSync: true}) }
	t.Run("write", func(t *testing.T) {
		e := open(t)
		require.NoError(t, e.CreateBucket("uploads"))
		for _, k := range keys {
			r := e.signed(t, http.MethodPut, "/uploads/"+uriEncode(k, true), []byte("data of "+k))
			require.Equal(t, 200, r.status, "%q %s", k, r.body)
		}
	})
	t.Run("read after a restart", func(t *testing.T) {
		e := open(t)
		for _, k := range keys {
			r := e.signed(t, http.MethodGet, "/uploads/"+uriEncode(k, false), nil)
			require.Equal(t, "data of "+k, r.body)
		}
		var got []string
		for o := range e.ListObjectsIter(t.Context(), "uploads", minio.ListObjectsOptions{Recursive: true}) {
			require.NoError(t, o.Err)
			got = append(got, o.Key)
		}
		require.ElementsMatch(t, keys, got)
		require.IsIncreasing(t, got)
		for _, k := range keys {
			require.Equal(t, 204, e.signed(t, http.MethodDelete, "/uploads/"+uriEncode(k, true), nil).status)
		}
	})
	left, err := os.ReadDir(filepath.Join(dir, "buckets", "uploads", "objects"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestDeleteMany(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	objects := make(chan minio.ObjectInfo, 200)
	for i := range 150 {
		key := fmt.Sprintf("k/%03d", i)
		e.put(t, b, key, "x")
		objects <- minio.ObjectInfo{Key: key}
	}
	objects <- minio.ObjectInfo{Key: "absent"}
	close(objects)
	for err := range e.RemoveObjects(ctx, b, objects, minio.RemoveObjectsOptions{}) {
		require.NoError(t, err.Err)
	}
	for o := range e.ListObjectsIter(ctx, b, minio.ListObjectsOptions{Recursive: true}) {
		require.Fail(t, "left", o.Key)
	}
	r := e.deleteMany(t, "/"+b, `<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object><Object><Key>b</Key><VersionId>9</VersionId></Object></Delete>`)
	require.Equal(t, 200, r.status)
	require.NotContains(t, r.body, "<Deleted>")
	require.Contains(t, r.body, "<Code>NoSuchVersion</Code>")
}

// deleteMany posts a Delete document.
func (e *endpoint) deleteMany(t testing.TB, path, body string, header ...string) reply {
	t.Helper()
	return e.signed(t, http.MethodPost, path+"?delete", []byte(body), append(header, "Content-Md5", contentMD5(body))...)
}

// One who may not remove a thing is told so of each, and of buckets nothing.
func TestDeleteManyByStrangers(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "a", "1")
	const body = "<Delete><Object><Key>a</Key></Object></Delete>"
	for _, path := range []string{"/" + b, "/absent"} {
		r := e.anyone(t, http.MethodPost, path+"?delete", []byte(body), "Content-Md5", contentMD5(body))
		require.Equal(t, http.StatusOK, r.status, r.body)
		require.Contains(t, r.body, "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message><Key>a</Key>")
	}
	require.Equal(t, "NoSuchBucket", e.deleteMany(t, "/absent", body).code(t))
	require.Equal(t, http.StatusOK, e.signed(t, http.MethodGet, "/"+b+"/a", nil).status)
}

// A key may be named twice in one request, as itself and as its null version.
func TestDeleteManyNamesOneTwice(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "a", "1")
	r := e.deleteMany(t, "/"+b, "<Delete><Object><Key>a</Key></Object><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>")
	require.Equal(t, http.StatusOK, r.status)
	require.Equal(t, 2, strings.Count(r.body, "<Deleted>"), r.body)
	require.Empty(t, must(e.st.bucket(b)).index.list("", "", "", 10))
	e.put(t, b, "a", "2")
}
