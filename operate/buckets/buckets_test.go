package buckets_test

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3"
	"github.com/drydock/drydock/operate/buckets"
)

func store(t *testing.T) *minio.Client {
	t.Helper()
	s, err := s3.Open(s3.Options{
		Dir: t.TempDir(), NoSync: true, Keys: map[string]s3.Key{"key": {Secret: "secret-of-key"}}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, s.Close())
	})
	c, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4("key", "secret-of-key", ""), Region: "us-east-1",
	})
	require.NoError(t, err)
	return c
}

func quiet(buckets.Summary) {}

func put(t *testing.T, c *minio.Client, bucket, key string, content []byte, o minio.PutObjectOptions) {
	t.Helper()
	_, err := c.PutObject(t.Context(), bucket, key, bytes.NewReader(content), int64(len(content)), o)
	require.NoError(t, err)
}

// contents is everything in a bucket, but for ids and times.
func contents(t *testing.T, c *minio.Client, bucket string, versions bool) []string {
	t.Helper()
	var all []string
	for o := range c.ListObjects(t.Context(), bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: versions}) {
		require.NoError(t, o.Err)
		if o.IsDeleteMarker {
			all = append(all, o.Key+" deleted")
			continue
		}
		object, err := c.GetObject(t.Context(), bucket, o.Key, minio.GetObjectOptions{VersionID: o.VersionID})
		require.NoError(t, err)
		content := sha256.New()
		_, err = io.Copy(content, object)
		require.NoError(t, err)
		info, err := object.Stat()
		require.NoError(t, err)
		tags, err := c.GetObjectTagging(t.Context(), bucket, o.Key, minio.GetObjectTaggingOptions{VersionID: o.VersionID})
		require.NoError(t, err)
		all = append(all, fmt.Sprintf("%s %x %s %s %v %v", o.Key, content.Sum(nil), info.ContentType, info.Metadata.Get("Cache-Control"), info.UserMetadata, tags.ToMap()))
	}
	return all
}

// putLarge puts an object that is sent in parts.
func putLarge(t *testing.T, c *minio.Client) {
	t.Helper()
	large := make([]byte, 16<<20+5)
	_, err := rand.Read(large)
	require.NoError(t, err)
	put(t, c, "from", "large", large, minio.PutObjectOptions{PartSize: 5 << 20})
}

// filled is a bucket with objects of all shapes.
func filled(t *testing.T, c *minio.Client, versioned bool) {
	t.Helper()
	require.NoError(t, c.MakeBucket(t.Context(), "from", minio.MakeBucketOptions{}))
	if versioned {
		require.NoError(t, c.EnableVersioning(t.Context(), "from"))
	}
	put(t, c, "from", "../ä //b", []byte("odd"), minio.PutObjectOptions{ContentType: "text/plain", CacheControl: "no-store"})
	put(t, c, "from", "empty", nil, minio.PutObjectOptions{UserMetadata: map[string]string{"owner": "me"}})
	put(t, c, "from", "tagged", []byte("x"), minio.PutObjectOptions{UserTags: map[string]string{"k": "v"}})
	put(t, c, "from", "twice", []byte("first"), minio.PutObjectOptions{})
	put(t, c, "from", "twice", []byte("second"), minio.PutObjectOptions{})
	put(t, c, "from", "deleted", []byte("x"), minio.PutObjectOptions{})
	require.NoError(t, c.RemoveObject(t.Context(), "from", "deleted", minio.RemoveObjectOptions{}))
	if versioned {
		info, err := c.PutObject(t.Context(), "from", "marker alone", strings.NewReader("x"), 1, minio.PutObjectOptions{})
		require.NoError(t, err)
		require.NoError(t, c.RemoveObject(t.Context(), "from", "marker alone", minio.RemoveObjectOptions{}))
		require.NoError(t, c.RemoveObject(t.Context(), "from", "marker alone", minio.RemoveObjectOptions{VersionID: info.VersionID}))
	}
}

func TestABucketComesBack(t *testing.T) {
	t.Parallel()
	for _, versioned := range []bool{false, true} {
		t.Run(fmt.Sprint("versioned ", versioned), func(t *testing.T) {
			t.Parallel()
			c := store(t)
			filled(t, c, versioned)
			putLarge(t, c)
			want := contents(t, c, "from", versioned)
			var archive bytes.Buffer
			out, err := buckets.Export(t.Context(), c, "from", &archive, quiet)
			require.NoError(t, err)
			require.EqualValues(t, len(want), out.Versions)

			in, err := buckets.Import(t.Context(), c, "copy", bytes.NewReader(archive.Bytes()), quiet)
			require.NoError(t, err)
			require.Equal(t, out.Versions, in.Versions)
			require.Equal(t, out.Bytes, in.Bytes)
			require.Equal(t, want, contents(t, c, "copy", versioned))

			again, err := buckets.Import(t.Context(), c, "copy", bytes.NewReader(archive.Bytes()), quiet)
			require.NoError(t, err)
			require.Zero(t, again.Versions, "what is there is left alone")
			require.Equal(t, out.Versions, again.Skipped)
			require.Equal(t, want, contents(t, c, "copy", versioned))

			put(t, c, "copy", "twice", []byte("changed"), minio.PutObjectOptions{})
			require.NoError(t, c.RemoveObject(t.Context(), "copy", "empty", minio.RemoveObjectOptions{}))
			_, err = buckets.Import(t.Context(), c, "copy", bytes.NewReader(archive.Bytes()), quiet)
			require.NoError(t, err)
			if !versioned {
				require.Equal(t, want, contents(t, c, "copy", false), "what has changed is as it was")
			}
		})
	}
}

func TestAnImportThatIsBrokenOff(t *testing.T) {
	t.Parallel()
	c := store(t)
	filled(t, c, true)
	var archive bytes.Buffer
	out, err := buckets.Export(t.Context(), c, "from", &archive, quiet)
	require.NoError(t, err)
	whole := archive.Bytes()

	in, err := buckets.Import(t.Context(), c, "copy", bytes.NewReader(whole[:len(whole)-5000]), quiet)
	require.ErrorIs(t, err, buckets.ErrNotWhole)
	require.Less(t, in.Versions, out.Versions)
	require.Positive(t, in.Versions)
	require.Len(t, contents(t, c, "copy", true), int(in.Versions), "what is told is what is there")
	rest, err := buckets.Import(t.Context(), c, "copy", bytes.NewReader(whole), quiet)
	require.NoError(t, err)
	require.Equal(t, in.Versions, rest.Skipped)
	require.Equal(t, contents(t, c, "from", true), contents(t, c, "copy", true))
}

func TestADamagedArchive(t *testing.T) {
	t.Parallel()
	c := store(t)
	filled(t, c, false)
	var archive bytes.Buffer
	_, err := buckets.Export(t.Context(), c, "from", &archive, quiet)
	require.NoError(t, err)
	for name, damage := range map[string]func(h *tar.Header, content []byte) []byte{
		"a byte of a large object": change("versions/00000004.data"),
		"a byte":                   change("versions/00000001.data"),
		"what is known of a version": func(h *tar.Header, content []byte) []byte {
			if h.Name == "versions/00000001.json" {
				return bytes.Replace(content, []byte("no-store"), []byte("no-cache"), 1)
			}
			return content
		},
		"a sum": change("versions/00000002.sha256"),
		"the end": func(h *tar.Header, content []byte) []byte {
			return bytes.ReplaceAll(content, []byte(`{"versions":`), []byte(`{"versions":1`))
		},
		"a version": func(h *tar.Header, content []byte) []byte {
			if strings.HasPrefix(h.Name, "versions/00000002") {
				return nil
			}
			return content
		},
	} {
		bucket := "to-" + strings.ReplaceAll(name, " ", "-")
		_, err := buckets.Import(t.Context(), c, bucket, rewritten(t, archive.Bytes(), damage), quiet)
		assert.ErrorIs(t, err, buckets.ErrNotWhole, name)
	}
	require.Empty(t, contents(t, c, "to-a-byte", false), "what is damaged is never seen")
	_, err = buckets.Import(t.Context(), c, "to-nothing", strings.NewReader("no archive"), quiet)
	require.ErrorContains(t, err, "no archive of drydock s3 export")
}

func TestADamagedLargeObject(t *testing.T) {
	t.Parallel()
	c := store(t)
	require.NoError(t, c.MakeBucket(t.Context(), "from", minio.MakeBucketOptions{}))
	putLarge(t, c)
	var archive bytes.Buffer
	_, err := buckets.Export(t.Context(), c, "from", &archive, quiet)
	require.NoError(t, err)
	_, err = buckets.Import(t.Context(), c, "copy", rewritten(t, archive.Bytes(), change("versions/00000001.data")), quiet)
	require.ErrorIs(t, err, buckets.ErrNotWhole)
	require.Empty(t, contents(t, c, "copy", false))
	for u := range c.ListIncompleteUploads(t.Context(), "copy", "", true) {
		require.Fail(t, "an upload is left", u.Key)
	}
}

// change changes a byte of the entry with the given name.
func change(name string) func(h *tar.Header, content []byte) []byte {
	return func(h *tar.Header, content []byte) []byte {
		if h.Name == name {
			content[len(content)/2] ^= 1
		}
		return content
	}
}

// rewritten is an archive whose entries were changed; one that is nil is left out.
func rewritten(t *testing.T, archive []byte, edit func(h *tar.Header, content []byte) []byte) io.Reader {
	t.Helper()
	in := tar.NewReader(bytes.NewReader(archive))
	var text bytes.Buffer
	out := tar.NewWriter(&text)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		if content = edit(h, content); content == nil {
			continue
		}
		h.Size = int64(len(content))
		require.NoError(t, out.WriteHeader(h))
		_, err = out.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, out.Close())
	return &text
}

func TestVersionsNeedABucketThatKeepsThem(t *testing.T) {
	t.Parallel()
	c := store(t)
	filled(t, c, true)
	var archive bytes.Buffer
	_, err := buckets.Export(t.Context(), c, "from", &archive, quiet)
	require.NoError(t, err)
	require.NoError(t, c.MakeBucket(t.Context(), "plain", minio.MakeBucketOptions{}))
	_, err = buckets.Import(t.Context(), c, "plain", &archive, quiet)
	require.ErrorContains(t, err, "enable its versioning")
	_, err = buckets.Export(t.Context(), c, "absent", io.Discard, quiet)
	require.ErrorContains(t, err, "does not exist")
}
