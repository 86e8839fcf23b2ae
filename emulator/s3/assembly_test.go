package s3

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// TestAssembly uploads parts in every order and shape that matters, over a
// restart, and tells whether the object was made without copying.
func TestAssembly(t *testing.T) {
	t.Parallel()
	big, other := randomBytes(t, minPartSize), randomBytes(t, minPartSize)
	larger, small := randomBytes(t, minPartSize+1), []byte("small")
	type numbered struct {
		n    int
		data []byte
	}
	for name, c := range map[string]struct {
		put    []numbered
		listed []int
		copied bool
	}{
		"in order":          {[]numbered{{1, big}, {2, other}, {3, small}}, []int{1, 2, 3}, false},
		"out of order":      {[]numbered{{2, big}, {3, small}, {1, other}}, []int{1, 2, 3}, false},
		"one":               {[]numbered{{1, big}}, []int{1}, false},
		"small":             {[]numbered{{1, small}}, []int{1}, true},
		"the last is first": {[]numbered{{3, small}, {1, big}, {2, big}}, []int{1, 2, 3}, true},
		"sizes differ":      {[]numbered{{1, big}, {2, larger}, {3, small}}, []int{1, 2, 3}, true},
		"shorter within":    {[]numbered{{1, larger}, {2, big}, {3, small}}, []int{1, 2, 3}, true},
		"a hole":            {[]numbered{{1, big}, {3, big}, {7, small}}, []int{1, 3, 7}, true},
		"one left out":      {[]numbered{{1, big}, {2, other}, {3, small}}, []int{1, 2}, true},
		"first left out":    {[]numbered{{1, big}, {2, other}}, []int{2}, true},
		"again":             {[]numbered{{1, big}, {2, other}, {1, other}}, []int{1, 2}, true},
		"again, smaller":    {[]numbered{{1, big}, {2, other}, {2, small}}, []int{1, 2}, true},
		"empty at the end":  {[]numbered{{1, big}, {2, nil}}, []int{1, 2}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e, b := bucketed(t, Options{Dir: dir, NoSync: true})
			e.put(t, b, "there", "already")
			id, err := e.core.NewMultipartUpload(t.Context(), b, "there", minio.PutObjectOptions{})
			require.NoError(t, err)
			etags, data := map[int]string{}, map[int][]byte{}
			put := func(p numbered) {
				info, err := e.core.PutObjectPart(t.Context(), b, "there", id, p.n, bytes.NewReader(p.data), int64(len(p.data)), minio.PutObjectPartOptions{})
				require.NoError(t, err)
				etags[p.n], data[p.n] = info.ETag, p.data
			}
			complete := func(o minio.PutObjectOptions) error {
				var parts []minio.CompletePart
				for _, n := range c.listed {
					parts = append(parts, minio.CompletePart{PartNumber: n, ETag: etags[n]})
				}
				_, err := e.core.CompleteMultipartUpload(t.Context(), b, "there", id, parts, o)
				return err
			}
			for i, p := range c.put {
				if i == 1 {
					require.NoError(t, e.Close())
					e = start(t, Options{Dir: dir, NoSync: true})
				}
				put(p)
			}
			common, _ := os.Stat(filepath.Join(dir, "uploads", id, commonFile)) // there may be none
			var absent minio.PutObjectOptions
			absent.SetMatchETagExcept("*")
			require.Equal(t, "PreconditionFailed", codeOf(complete(absent)))
			require.NoError(t, complete(minio.PutObjectOptions{}))
			var want []byte
			for _, n := range c.listed {
				want = append(want, data[n]...)
			}
			require.True(t, string(want) == e.read(t, b, "there"))
			object, err := os.Stat(must(e.st.bucket(b)).objectPath("there", ""))
			require.NoError(t, err)
			require.Equal(t, c.copied, !os.SameFile(common, object))
			require.Empty(t, tmpFiles(t, e))
			names, err := readNames(filepath.Join(dir, "uploads"))
			require.NoError(t, err)
			require.Empty(t, names)
			require.NoError(t, e.Close())
			e = start(t, Options{Dir: dir, NoSync: true})
			require.True(t, string(want) == e.read(t, b, "there"))
		})
	}
}

// A part that is cut off is no part, and what comes after a completion that
// failed does not touch what that left.
func TestAssemblyAfterFailures(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "there", "already")
	id, err := e.core.NewMultipartUpload(t.Context(), b, "there", minio.PutObjectOptions{})
	require.NoError(t, err)
	path := "/" + b + "/there?uploadId=" + id + "&partNumber="
	big := randomBytes(t, minPartSize)
	req := e.sign(t, e.request(t, "PUT", path+"1", nil), unsignedPayload)
	req.ContentLength = int64(len(big))
	require.Equal(t, "IncompleteBody", e.raw(t, req, string(big[:len(big)-1])).code(t))
	bad := e.signed(t, "PUT", path+"1", big, "Content-Md5", contentMD5("other"))
	require.Equal(t, "BadDigest", bad.code(t))
	list, err := e.core.ListObjectParts(t.Context(), b, "there", id, 0, 10)
	require.NoError(t, err)
	require.Empty(t, list.ObjectParts)

	one := e.signed(t, "PUT", path+"1", big).header.Get("ETag")
	complete := func(parts string, header ...string) reply {
		return e.signed(t, "POST", "/"+b+"/there?uploadId="+id, []byte("<CompleteMultipartUpload>"+parts+"</CompleteMultipartUpload>"), header...)
	}
	part := func(n, etag string) string {
		return "<Part><PartNumber>" + n + "</PartNumber><ETag>" + etag + "</ETag></Part>"
	}
	require.Equal(t, "PreconditionFailed", complete(part("1", one), "If-None-Match", "*").code(t))
	two := e.signed(t, "PUT", path+"2", big).header.Get("ETag")
	require.Equal(t, 200, complete(part("1", one)+part("2", two)).status)
	require.True(t, string(big)+string(big) == e.read(t, b, "there"))
}
