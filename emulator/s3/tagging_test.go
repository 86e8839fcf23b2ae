package s3

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/stretchr/testify/require"
)

// tagged writes tags as XML.
func tagged(pairs ...string) []byte {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, "<Tag><Key>%s</Key><Value>%s</Value></Tag>", pairs[i], pairs[i+1])
	}
	return []byte("<Tagging><TagSet>" + b.String() + "</TagSet></Tagging>")
}

// tags reads the tags of an object back, "" for the current version.
func (e *endpoint) tags(t testing.TB, b, key, version string) string {
	t.Helper()
	got, err := e.GetObjectTagging(t.Context(), b, key, minio.GetObjectTaggingOptions{VersionID: version})
	require.NoError(t, err)
	return got.String()
}

func TestTags(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "data")
	require.Empty(t, e.tags(t, b, "key", ""))
	require.Empty(t, e.signed(t, "HEAD", "/"+b+"/key", nil).header.Get(headerTaggingCount))
	set := must(tags.MapToObjectTags(map[string]string{"b": "2 + 2", "a": ""}))
	require.NoError(t, e.PutObjectTagging(t.Context(), b, "key", set, minio.PutObjectTaggingOptions{}))
	require.Equal(t, "a=&b=2+%2B+2", e.tags(t, b, "key", ""))
	require.Equal(t, "2", e.signed(t, "GET", "/"+b+"/key", nil).header.Get(headerTaggingCount))
	require.Contains(t, e.signed(t, "GET", "/"+b+"/key?tagging", nil).body, "<Tagging><TagSet><Tag><Key>a</Key><Value></Value></Tag><Tag><Key>b</Key>")
	e.put(t, b, "key", "again")
	require.Empty(t, e.tags(t, b, "key", ""), "tags go with what they were of")
	require.NoError(t, e.PutObjectTagging(t.Context(), b, "key", set, minio.PutObjectTaggingOptions{}))
	require.NoError(t, e.RemoveObjectTagging(t.Context(), b, "key", minio.RemoveObjectTaggingOptions{}))
	require.Empty(t, e.tags(t, b, "key", ""))

	many := make([]string, 22)
	for i := range many {
		many[i] = fmt.Sprint("k", i)
	}
	for name, c := range map[string]struct {
		body []byte
		code string
	}{
		"twice":      {tagged("a", "1", "a", "2"), "InvalidTag"},
		"many":       {tagged(many...), "BadRequest"},
		"long key":   {tagged(strings.Repeat("k", 129), ""), "InvalidTag"},
		"long value": {tagged("k", strings.Repeat("v", 257)), "InvalidTag"},
		"no key":     {tagged("", "v"), "InvalidTag"},
		"other":      {[]byte("<x/>"), "MalformedXML"},
		"empty":      {nil, "MalformedXML"},
	} {
		require.Equal(t, c.code, e.signed(t, "PUT", "/"+b+"/key?tagging", c.body).code(t), name)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		require.Equal(t, "NoSuchKey", e.signed(t, method, "/"+b+"/absent?tagging", tagged("a", "1")).code(t))
	}
}

func TestTagsOfNewObjects(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	_, err := e.PutObject(t.Context(), b, "put", strings.NewReader(""), 0, minio.PutObjectOptions{UserTags: map[string]string{"a": "1"}})
	require.NoError(t, err)
	require.Equal(t, "a=1", e.tags(t, b, "put", ""))
	id, err := e.core.NewMultipartUpload(t.Context(), b, "multipart", minio.PutObjectOptions{UserTags: map[string]string{"m": "1"}})
	require.NoError(t, err)
	part, err := e.core.PutObjectPart(t.Context(), b, "multipart", id, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
	require.NoError(t, err)
	_, err = e.core.CompleteMultipartUpload(t.Context(), b, "multipart", id, []minio.CompletePart{{PartNumber: 1, ETag: part.ETag}}, minio.PutObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, "m=1", e.tags(t, b, "multipart", ""))

	for _, c := range []struct {
		header []string
		want   string
	}{
		{nil, "a=1"},
		{[]string{"X-Amz-Tagging", "b=2"}, "a=1"},
		{[]string{"X-Amz-Tagging", "b=2", "X-Amz-Tagging-Directive", "REPLACE"}, "b=2"},
		{[]string{"X-Amz-Tagging-Directive", "REPLACE"}, ""},
		{[]string{"X-Amz-Metadata-Directive", "REPLACE"}, "a=1"},
	} {
		r := e.signed(t, "PUT", "/"+b+"/copy", nil, append([]string{"X-Amz-Copy-Source", b + "/put"}, c.header...)...)
		require.Equal(t, http.StatusOK, r.status, r.body)
		require.Equal(t, c.want, e.tags(t, b, "copy", ""), "%v", c.header)
	}
	r := e.signed(t, "PUT", "/"+b+"/copy", nil, "X-Amz-Copy-Source", b+"/put", "X-Amz-Tagging-Directive", "x")
	require.Equal(t, "InvalidArgument", r.code(t))
}

// Every version has tags of its own; a restart keeps them.
func TestTagsOfVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, b := versioned(t, Options{Dir: dir, NoSync: true})
	put := func(data, initially string) string {
		info, err := e.PutObject(t.Context(), b, "key", strings.NewReader(data), int64(len(data)), minio.PutObjectOptions{
			UserTags: map[string]string{"initially": initially},
		})
		require.NoError(t, err)
		return info.VersionID
	}
	one, two, three := put("1", "1"), put("2", "2"), put("3", "3")
	r := e.signed(t, "PUT", "/"+b+"/key?tagging&versionId="+one, tagged("now", "1"))
	require.Equal(t, one, r.header.Get(headerVersionID))
	require.Equal(t, three, e.signed(t, "DELETE", "/"+b+"/key?tagging", nil).header.Get(headerVersionID))
	check := func(e *endpoint) {
		require.Equal(t, "now=1", e.tags(t, b, "key", one))
		require.Equal(t, "initially=2", e.tags(t, b, "key", two))
		require.Empty(t, e.tags(t, b, "key", ""))
	}
	check(e)
	require.NoError(t, e.RemoveObject(t.Context(), b, "gone", minio.RemoveObjectOptions{}))
	require.NoError(t, e.Close())
	again := start(t, Options{Dir: dir, NoSync: true})
	check(again)
	require.NoError(t, again.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{}))
	require.Equal(t, "NoSuchKey", again.signed(t, "GET", "/"+b+"/key?tagging", nil).code(t))
	marker := again.signed(t, "GET", "/"+b+"/key", nil).header.Get(headerVersionID)
	require.Equal(t, "MethodNotAllowed", again.signed(t, "PUT", "/"+b+"/key?tagging&versionId="+marker, tagged("a", "b")).code(t))
	for _, v := range []string{one, two, three, marker} {
		require.NoError(t, again.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{VersionID: v}))
	}
	left, err := os.ReadDir(must(again.st.bucket(b)).objects)
	require.NoError(t, err)
	require.Empty(t, left, "nothing stays of what has been removed")
}
