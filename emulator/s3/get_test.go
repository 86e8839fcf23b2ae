package s3

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

func TestRanges(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "digits", "0123456789")
	e.put(t, b, "empty", "")
	for _, c := range []struct {
		key, header string
		status      int
		body, cr    string
	}{
		{"digits", "bytes=0-3", 206, "0123", "bytes 0-3/10"},
		{"digits", "bytes=7-", 206, "789", "bytes 7-9/10"},
		{"digits", "bytes=-2", 206, "89", "bytes 8-9/10"},
		{"digits", "bytes=-99", 206, "0123456789", "bytes 0-9/10"},
		{"digits", "bytes=5-99", 206, "56789", "bytes 5-9/10"},
		{"digits", "bytes=5-99999999999999999999", 206, "56789", "bytes 5-9/10"},
		{"digits", "bytes=10-", 416, "", "bytes */10"},
		{"digits", "bytes=-0", 416, "", "bytes */10"},
		{"digits", "bytes=4-2", 200, "0123456789", ""},
		{"digits", "bytes=0-1,3-4", 200, "0123456789", ""},
		{"digits", "lines=0-1", 200, "0123456789", ""},
		{"digits", "bytes=+1-2", 200, "0123456789", ""},
		{"empty", "bytes=0-", 416, "", "bytes */0"},
		{"empty", "bytes=-5", 416, "", "bytes */0"},
	} {
		t.Run(c.key+" "+c.header, func(t *testing.T) {
			t.Parallel()
			r := e.signed(t, http.MethodGet, "/"+b+"/"+c.key, nil, "Range", c.header)
			require.Equal(t, c.status, r.status)
			require.Equal(t, c.cr, r.header.Get("Content-Range"))
			if c.status == 416 {
				require.Equal(t, "InvalidRange", r.code(t))
				return
			}
			require.Equal(t, c.body, r.body)
			h := e.signed(t, http.MethodHead, "/"+b+"/"+c.key, nil, "Range", c.header)
			require.Equal(t, c.status, h.status)
			require.Equal(t, strconv.Itoa(len(c.body)), h.header.Get("Content-Length"))
		})
	}
	r := e.signed(t, http.MethodGet, "/"+b+"/digits", nil, "Range", "bytes=0-0", "If-Range", `"another"`)
	require.Equal(t, 200, r.status)
}

func TestReadConditions(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	etag := quote(e.put(t, b, "key", "data").ETag)
	past := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	future := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	for _, c := range []struct {
		header []string
		status int
	}{
		{[]string{"If-Match", etag}, 200},
		{[]string{"If-Match", "*"}, 200},
		{[]string{"If-Match", `"a", ` + etag}, 200},
		{[]string{"If-Match", `"a"`}, 412},
		{[]string{"If-None-Match", etag}, 304},
		{[]string{"If-None-Match", `"a"`}, 200},
		{[]string{"If-Modified-Since", past}, 200},
		{[]string{"If-Modified-Since", future}, 304},
		{[]string{"If-Unmodified-Since", past}, 412},
		{[]string{"If-Unmodified-Since", future}, 200},
		{[]string{"If-Match", etag, "If-Unmodified-Since", past}, 200},
		{[]string{"If-None-Match", `"a"`, "If-Modified-Since", future}, 200},
	} {
		r := e.signed(t, http.MethodGet, "/"+b+"/key", nil, c.header...)
		require.Equal(t, c.status, r.status, c.header)
		if c.status == 304 {
			require.Empty(t, r.body)
			require.Equal(t, etag, r.header.Get("ETag"))
		}
	}
}

func TestResponseOverrides(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "data")
	r := e.signed(t, http.MethodGet, "/"+b+"/key?response-content-type=text%2Fcsv&response-content-disposition=attachment&response-cache-control=no-store", nil)
	require.Equal(t, 200, r.status, r.body)
	require.Equal(t, "text/csv", r.header.Get("Content-Type"))
	require.Equal(t, "attachment", r.header.Get("Content-Disposition"))
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
}

func TestReaderKeepsItsVersion(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "first")
	bk, err := e.st.bucket(b)
	require.NoError(t, err)
	f, m, err := openBlob(bk.objectPath("key", ""))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	e.put(t, b, "key", "second, longer")
	got := make([]byte, m.Size)
	_, err = f.ReadAt(got, 0)
	require.NoError(t, err)
	require.Equal(t, "first", string(got))
}

// What a HEAD fails of stands in headers.
func TestHeadRefusals(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	r := e.signed(t, http.MethodHead, "/"+b+"/missing", nil)
	require.Equal(t, 404, r.status)
	require.Equal(t, "NoSuchKey", r.header.Get("X-Minio-Error-Code"))
	require.Equal(t, `"The specified key does not exist."`, r.header.Get("X-Minio-Error-Desc"))
	_, err := e.StatObject(t.Context(), "missing", "key", minio.StatObjectOptions{})
	require.Equal(t, "NoSuchBucket", codeOf(err))
}
