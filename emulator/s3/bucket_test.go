package s3

import (
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	e := start(t, Options{})
	ctx := t.Context()
	require.NoError(t, e.MakeBucket(ctx, "one", minio.MakeBucketOptions{}))
	require.Equal(t, "BucketAlreadyOwnedByYou", codeOf(e.MakeBucket(ctx, "one", minio.MakeBucketOptions{})))
	require.NoError(t, e.CreateBucket("one"), "the emulator's own way is idempotent")
	require.NoError(t, e.MakeBucket(ctx, "two", minio.MakeBucketOptions{}))

	ok, err := e.BucketExists(ctx, "one")
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = e.BucketExists(ctx, "three")
	require.NoError(t, err)
	require.False(t, ok)

	list, err := e.ListBuckets(ctx)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "one", list[0].Name)
	require.False(t, list[0].CreationDate.IsZero())

	loc, err := e.GetBucketLocation(ctx, "one")
	require.NoError(t, err)
	require.Equal(t, "us-east-1", loc)

	e.put(t, "one", "key", "data")
	require.Equal(t, "BucketNotEmpty", codeOf(e.RemoveBucket(ctx, "one")))
	require.NoError(t, e.RemoveObject(ctx, "one", "key", minio.RemoveObjectOptions{}))
	require.NoError(t, e.RemoveBucket(ctx, "one"))
	require.Equal(t, "NoSuchBucket", codeOf(e.RemoveBucket(ctx, "one")))
	require.NoError(t, e.MakeBucket(ctx, "one", minio.MakeBucketOptions{}), "a name can be used again")
}

func TestBucketRefusals(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"invalid name":      {http.MethodPut, "/UPPER", "", 400, "InvalidBucketName"},
		"reserved name":     {http.MethodPut, "/minio", "", 400, "InvalidBucketName"},
		"dots":              {http.MethodPut, "/..", "", 400, "InvalidBucketName"},
		"no bucket":         {http.MethodGet, "//key", "", 400, "InvalidBucketName"},
		"bad xml":           {http.MethodPut, "/other", "<Create", 400, "MalformedXML"},
		"absent bucket":     {http.MethodGet, "/absent", "", 404, "NoSuchBucket"},
		"sub-resource":      {http.MethodGet, "/" + b + "?inventory", "", 501, "NotImplemented"},
		"unknown parameter": {http.MethodGet, "/" + b + "?surprise=1", "", 501, "NotImplemented"},
		"object tags":       {http.MethodGet, "/" + b + "/key?tagging", "", 404, "NoSuchKey"},
		"object attributes": {http.MethodGet, "/" + b + "/key?attributes", "", 404, "NoSuchKey"},
		"put with sub":      {http.MethodPut, "/" + b + "/key?torrent", "", 501, "NotImplemented"},
		"method":            {http.MethodPatch, "/" + b, "", 405, "MethodNotAllowed"},
		"malformed query":   {http.MethodGet, "/" + b + "?a=%zz", "", 400, "InvalidArgument"},
		"unknown list":      {http.MethodGet, "/" + b + "?list-type=3", "", 501, "NotImplemented"},
		"key too long":      {http.MethodPut, "/" + b + "/" + strings.Repeat("k", 1025), "", 400, "KeyTooLongError"},
		"key not UTF-8":     {http.MethodPut, "/" + b + "/%ff", "", 400, "InvalidArgument"},
		"not there":         {http.MethodGet, "/" + b + "/absent", "", 404, "NoSuchKey"},
		"version":           {http.MethodGet, "/" + b + "/absent?versionId=1", "", 400, "InvalidArgument"},
		"delete undigested": {http.MethodPost, "/" + b + "?delete", "<Delete/>", 400, "MissingContentMD5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "malformed query" {
				req := e.request(t, c.method, c.path, nil)
				r := e.do(t, req)
				require.Equal(t, c.status, r.status)
				require.Equal(t, c.code, r.code(t))
				return
			}
			r := e.signed(t, c.method, c.path, []byte(c.body))
			require.Equal(t, c.status, r.status, r.body)
			require.Equal(t, c.code, r.code(t))
			require.Equal(t, r.header.Get("X-Amz-Request-Id"), between(r.body, "<RequestId>", "</RequestId>"))
		})
	}
}

func between(s, a, b string) string {
	_, s, _ = strings.Cut(s, a)
	s, _, _ = strings.Cut(s, b)
	return s
}

func TestHeadErrorHasNoBody(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	r := e.signed(t, http.MethodHead, "/"+b+"/absent", nil)
	require.Equal(t, 404, r.status)
	require.Empty(t, r.body)
}

func TestXMLBodyIsLimited(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	body := strings.Repeat(" ", maxXMLBody+1)
	r := e.signed(t, http.MethodPost, "/"+b+"?delete", []byte(body), "Content-Md5", contentMD5(body))
	require.Equal(t, 400, r.status)
	require.Equal(t, "EntityTooLarge", r.code(t))
}

func TestHealth(t *testing.T) {
	t.Parallel()
	e := start(t, Options{})
	for _, p := range []string{"live", "ready", "cluster"} {
		r := e.do(t, e.request(t, http.MethodGet, "/minio/health/"+p, nil))
		require.Equal(t, 200, r.status)
		require.Empty(t, r.body)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := map[string]Key{testKey: {Secret: testSecret}}
	_, err := Open(Options{Keys: keys})
	require.Error(t, err)
	_, err = Open(Options{Dir: dir})
	require.Error(t, err)
	s, err := Open(Options{Dir: dir, Keys: keys, NoSync: true})
	require.NoError(t, err)
	_, err = Open(Options{Dir: dir, Keys: keys, NoSync: true})
	require.ErrorIs(t, err, ErrInUse)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	s, err = Open(Options{Dir: dir, Keys: keys, NoSync: true})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestClosedServerRefuses(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	require.NoError(t, e.Close())
	r := e.signed(t, http.MethodPut, "/"+b+"/key", []byte("x"))
	require.Equal(t, 503, r.status)
	require.Equal(t, 503, e.do(t, e.request(t, http.MethodGet, "/minio/health/live", nil)).status)
}
