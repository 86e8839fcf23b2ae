package s3

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

func TestMultipartByClient(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	data := randomBytes(t, 12<<20)
	for name, o := range map[string]minio.PutObjectOptions{
		"default":     {},
		"crc64":       {Checksum: minio.ChecksumCRC64NVME},
		"composite":   {Checksum: minio.ChecksumSHA256},
		"full object": {Checksum: minio.ChecksumFullObjectCRC32C},
		"md5":         {SendContentMd5: true},
		"parallel":    {ConcurrentStreamParts: true, NumThreads: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.PartSize = 5 << 20
			o.ContentType = "image/jpeg"
			o.UserMetadata = map[string]string{"Owner": "me"}
			key := "by client/" + name
			info, err := e.PutObject(t.Context(), b, key, bytes.NewReader(data), int64(len(data)), o)
			require.NoError(t, err)
			require.Regexp(t, `^[0-9a-f]{32}-3$`, info.ETag)
			st, err := e.StatObject(t.Context(), b, key, minio.StatObjectOptions{Checksum: true})
			require.NoError(t, err)
			require.Equal(t, int64(len(data)), st.Size)
			require.Equal(t, "image/jpeg", st.ContentType)
			require.Equal(t, "me", st.UserMetadata["Owner"])
			switch name {
			case "crc64":
				require.Equal(t, minio.ChecksumCRC64NVME.EncodeToString(data), st.ChecksumCRC64NVME)
			case "full object":
				require.Equal(t, minio.ChecksumCRC32C.EncodeToString(data), st.ChecksumCRC32C)
			case "composite":
				require.True(t, strings.HasSuffix(st.ChecksumSHA256, "-3"), st.ChecksumSHA256)
			}
			require.True(t, string(data) == e.read(t, b, key))
		})
	}
}

func TestMultipartRules(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	id, err := e.core.NewMultipartUpload(ctx, b, "key", minio.PutObjectOptions{})
	require.NoError(t, err)
	part := func(n int, data []byte) minio.ObjectPart {
		p, err := e.core.PutObjectPart(ctx, b, "key", id, n, bytes.NewReader(data), int64(len(data)), minio.PutObjectPartOptions{})
		require.NoError(t, err)
		return p
	}
	big, small := randomBytes(t, 5<<20), []byte("small")
	one, two, three := part(1, small), part(2, big), part(7, small)
	complete := func(ps ...minio.CompletePart) error {
		_, err := e.core.CompleteMultipartUpload(ctx, b, "key", id, ps, minio.PutObjectOptions{})
		return err
	}
	cp := func(p minio.ObjectPart) minio.CompletePart {
		return minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag}
	}
	require.Equal(t, "EntityTooSmall", codeOf(complete(cp(one), cp(two))))
	require.Equal(t, "InvalidPartOrder", codeOf(complete(cp(two), cp(one))))
	require.Equal(t, "InvalidPart", codeOf(complete(minio.CompletePart{PartNumber: 2, ETag: "wrong"})))
	require.Equal(t, "InvalidPart", codeOf(complete(minio.CompletePart{PartNumber: 3, ETag: two.ETag})))
	require.Equal(t, 400, e.signed(t, http.MethodPost, "/"+b+"/key?uploadId="+id, []byte("<Complete")).status)
	for _, n := range []string{"0", "10001", "x"} {
		r := e.signed(t, http.MethodPut, "/"+b+"/key?uploadId="+id+"&partNumber="+n, small)
		require.Equal(t, "InvalidArgument", r.code(t))
	}
	require.Equal(t, "NoSuchUpload", e.signed(t, http.MethodPut, "/"+b+"/other?uploadId="+id+"&partNumber=1", small).code(t))

	list, err := e.core.ListObjectParts(ctx, b, "key", id, 0, 2)
	require.NoError(t, err)
	require.True(t, list.IsTruncated)
	require.Len(t, list.ObjectParts, 2)
	list, err = e.core.ListObjectParts(ctx, b, "key", id, list.NextPartNumberMarker, 2)
	require.NoError(t, err)
	require.False(t, list.IsTruncated)
	require.Equal(t, 7, list.ObjectParts[0].PartNumber)

	one = part(1, big) // replaces the first
	require.NoError(t, complete(cp(one), cp(two), cp(three)))
	require.True(t, string(big)+string(big)+"small" == e.read(t, b, "key"))
	require.Equal(t, "NoSuchUpload", codeOf(complete(cp(one))))
	names, err := readNames(filepath.Join(e.opts.Dir, "uploads"))
	require.NoError(t, err)
	require.Empty(t, names)
}

func TestAbortAndListUploads(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	ids := map[string]string{}
	for _, k := range []string{"a", "f/1", "f/2", "z"} {
		id, err := e.core.NewMultipartUpload(ctx, b, k, minio.PutObjectOptions{})
		require.NoError(t, err)
		ids[k] = id
	}
	var got []string
	keyMarker, idMarker := "", ""
	for {
		r, err := e.core.ListMultipartUploads(ctx, b, "", keyMarker, idMarker, "/", 1)
		require.NoError(t, err)
		for _, u := range r.Uploads {
			got = append(got, u.Key)
		}
		for _, p := range r.CommonPrefixes {
			got = append(got, p.Prefix)
		}
		if !r.IsTruncated {
			break
		}
		keyMarker, idMarker = r.NextKeyMarker, r.NextUploadIDMarker
	}
	require.Equal(t, []string{"a", "f/", "z"}, got)
	require.NoError(t, e.core.AbortMultipartUpload(ctx, b, "a", ids["a"]))
	require.Equal(t, "NoSuchUpload", codeOf(e.core.AbortMultipartUpload(ctx, b, "a", ids["a"])))
	require.NoError(t, e.RemoveBucket(ctx, b), "uploads under way do not keep a bucket")
	left, err := os.ReadDir(filepath.Join(e.opts.Dir, "uploads"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestUploadSurvivesRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	big := randomBytes(t, 5<<20)
	var id string
	var parts []minio.CompletePart
	upload := func(t *testing.T, e *endpoint, n int) {
		p, err := e.core.PutObjectPart(t.Context(), "uploads", "key", id, n, bytes.NewReader(big), int64(len(big)), minio.PutObjectPartOptions{})
		require.NoError(t, err)
		parts = append(parts, minio.CompletePart{PartNumber: n, ETag: p.ETag})
	}
	t.Run("before", func(t *testing.T) {
		e, b := bucketed(t, Options{Dir: dir, NoSync: true})
		var err error
		id, err = e.core.NewMultipartUpload(t.Context(), b, "key", minio.PutObjectOptions{ContentType: "image/png"})
		require.NoError(t, err)
		upload(t, e, 1)
	})
	t.Run("after", func(t *testing.T) {
		e, b := bucketed(t, Options{Dir: dir, NoSync: true})
		upload(t, e, 2)
		_, err := e.core.CompleteMultipartUpload(t.Context(), b, "key", id, parts, minio.PutObjectOptions{})
		require.NoError(t, err)
		st, err := e.StatObject(t.Context(), b, "key", minio.StatObjectOptions{})
		require.NoError(t, err)
		require.Equal(t, "image/png", st.ContentType)
		require.EqualValues(t, 10<<20, st.Size)
	})
}

func TestConcurrentCompleteHasOneWinner(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	id, err := e.core.NewMultipartUpload(ctx, b, "key", minio.PutObjectOptions{})
	require.NoError(t, err)
	p, err := e.core.PutObjectPart(ctx, b, "key", id, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
	require.NoError(t, err)
	var wg sync.WaitGroup
	won := make(chan bool, 8)
	for range 8 {
		wg.Go(func() {
			_, err := e.core.CompleteMultipartUpload(ctx, b, "key", id, []minio.CompletePart{{PartNumber: 1, ETag: p.ETag}}, minio.PutObjectOptions{})
			won <- err == nil
		})
	}
	wg.Wait()
	close(won)
	n := 0
	for w := range won {
		if w {
			n++
		}
	}
	require.Equal(t, 1, n)
}

func TestCopy(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	require.NoError(t, e.CreateBucket("other"))
	ctx := t.Context()
	data := "some data"
	src, err := e.PutObject(ctx, b, "from/ä b+c", strings.NewReader(data), int64(len(data)), minio.PutObjectOptions{
		ContentType: "text/css", UserMetadata: map[string]string{"Owner": "me"},
	})
	require.NoError(t, err)
	from := minio.CopySrcOptions{Bucket: b, Object: "from/ä b+c"}
	_, err = e.CopyObject(ctx, minio.CopyDestOptions{Bucket: "other", Object: "copy"}, from)
	require.NoError(t, err)
	st, err := e.StatObject(ctx, "other", "copy", minio.StatObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, "text/css", st.ContentType)
	require.Equal(t, "me", st.UserMetadata["Owner"])
	require.Equal(t, src.ETag, st.ETag)

	_, err = e.CopyObject(ctx, minio.CopyDestOptions{
		Bucket: b, Object: from.Object, ReplaceMetadata: true, UserMetadata: map[string]string{"Content-Type": "text/plain", "Owner": "you"},
	}, from)
	require.NoError(t, err, "onto itself with other metadata")
	st, err = e.StatObject(ctx, b, from.Object, minio.StatObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, "text/plain", st.ContentType)
	require.Equal(t, "you", st.UserMetadata["Owner"])
	require.Equal(t, data, e.read(t, b, from.Object))

	_, err = e.CopyObject(ctx, minio.CopyDestOptions{Bucket: b, Object: from.Object}, from)
	require.Equal(t, "InvalidRequest", codeOf(err))
	for name, c := range map[string]struct {
		header []string
		status int
		code   string
	}{
		"condition":  {[]string{"X-Amz-Copy-Source", "/other/copy", "X-Amz-Copy-Source-If-None-Match", quote(src.ETag)}, 412, "PreconditionFailed"},
		"absent":     {[]string{"X-Amz-Copy-Source", "/other/absent"}, 404, "NoSuchKey"},
		"no bucket":  {[]string{"X-Amz-Copy-Source", "/absent/absent"}, 404, "NoSuchBucket"},
		"no key":     {[]string{"X-Amz-Copy-Source", "other"}, 400, "InvalidArgument"},
		"escape":     {[]string{"X-Amz-Copy-Source", "other/%zz"}, 400, "InvalidArgument"},
		"version":    {[]string{"X-Amz-Copy-Source", "other/copy?versionId=2"}, 404, "NoSuchVersion"},
		"directive":  {[]string{"X-Amz-Copy-Source", "other/copy", "X-Amz-Metadata-Directive", "MERGE"}, 400, "InvalidArgument"},
		"encryption": {[]string{"X-Amz-Copy-Source", "other/copy", "X-Amz-Server-Side-Encryption", "AES256"}, 501, "NotImplemented"},
	} {
		t.Run(name, func(t *testing.T) {
			r := e.signed(t, http.MethodPut, "/"+b+"/to", nil, c.header...)
			require.Equal(t, c.status, r.status)
			require.Equal(t, c.code, r.code(t))
		})
	}
}

func TestComposeFromParts(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	ctx := t.Context()
	big := string(randomBytes(t, 6<<20))
	_, err := e.PutObject(ctx, b, "big", strings.NewReader(big), int64(len(big)), minio.PutObjectOptions{DisableMultipart: true})
	require.NoError(t, err)
	e.put(t, b, "tail", "0123456789")
	_, err = e.ComposeObject(ctx, minio.CopyDestOptions{Bucket: b, Object: "whole"},
		minio.CopySrcOptions{Bucket: b, Object: "big"},
		minio.CopySrcOptions{Bucket: b, Object: "tail", MatchRange: true, Start: 2, End: 4})
	require.NoError(t, err)
	require.True(t, big+"234" == e.read(t, b, "whole"))
	id, err := e.core.NewMultipartUpload(ctx, b, "key", minio.PutObjectOptions{})
	require.NoError(t, err)
	r := e.signed(t, http.MethodPut, "/"+b+"/key?uploadId="+id+"&partNumber=1", nil, "X-Amz-Copy-Source", b+"/tail", "X-Amz-Copy-Source-Range", "bytes=0-99")
	require.Equal(t, "InvalidArgument", r.code(t))
}

func TestPartsAreStreamed(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	r, w := io.Pipe()
	go func() {
		for i := range 6 {
			_, _ = fmt.Fprint(w, strings.Repeat(string(rune('a'+i)), 1<<20))
		}
		_ = w.Close()
	}()
	info, err := e.PutObject(t.Context(), b, "unknown size", r, -1, minio.PutObjectOptions{PartSize: 5 << 20})
	require.NoError(t, err)
	require.EqualValues(t, 6<<20, info.Size)
}
