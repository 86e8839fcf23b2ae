package s3

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// versioned is bucketed with versioning enabled.
func versioned(t testing.TB, o Options) (*endpoint, string) {
	t.Helper()
	e, b := bucketed(t, o)
	require.NoError(t, e.EnableVersioning(t.Context(), b))
	return e, b
}

// history lists the versions of a prefix as "key content" or "key -", a "*"
// marking the current one.
func (e *endpoint) history(t testing.TB, b, prefix string) []string {
	t.Helper()
	var out []string
	for v := range e.ListObjects(t.Context(), b, minio.ListObjectsOptions{Prefix: prefix, WithVersions: true, Recursive: true}) {
		require.NoError(t, v.Err)
		line := v.Key + " -"
		if !v.IsDeleteMarker {
			line = v.Key + " " + e.readVersion(t, b, v.Key, v.VersionID)
		}
		if v.IsLatest {
			line += "*"
		}
		out = append(out, line)
	}
	return out
}

func (e *endpoint) readVersion(t testing.TB, b, key, version string) string {
	t.Helper()
	r := e.signed(t, "GET", "/"+b+"/"+key+"?versionId="+version, nil)
	require.Equal(t, http.StatusOK, r.status, r.body)
	if version != "null" {
		require.Equal(t, version, r.header.Get(headerVersionID))
	}
	return r.body
}

func TestVersioningConfiguration(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	status := func() string {
		c, err := e.GetBucketVersioning(t.Context(), b)
		require.NoError(t, err)
		return c.Status
	}
	require.Empty(t, status())
	require.NoError(t, e.SuspendVersioning(t.Context(), b))
	require.Equal(t, "Suspended", status())
	require.NoError(t, e.EnableVersioning(t.Context(), b))
	require.Equal(t, "Enabled", status())
	for body, code := range map[string]string{
		"<VersioningConfiguration><Status>On</Status></VersioningConfiguration>": "IllegalVersioningConfigurationException",
		"<VersioningConfiguration/>": "IllegalVersioningConfigurationException",
		"<x/>":                       "MalformedXML",
		"":                           "MalformedXML",
	} {
		require.Equal(t, code, e.signed(t, "PUT", "/"+b+"?versioning", []byte(body)).code(t), body)
	}
	require.Equal(t, "NoSuchBucket", e.signed(t, "GET", "/absent?versioning", nil).code(t))
	require.Equal(t, "Enabled", status())
}

func TestVersionsOfAnObject(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "zero")
	require.NoError(t, e.EnableVersioning(t.Context(), b))
	one, two := e.put(t, b, "key", "one").VersionID, e.put(t, b, "key", "two").VersionID
	require.NotEqual(t, one, two)
	require.Equal(t, []string{"key two*", "key one", "key zero"}, e.history(t, b, ""))
	require.Equal(t, "two", e.read(t, b, "key"))

	r := e.signed(t, "DELETE", "/"+b+"/key", nil)
	require.Equal(t, http.StatusNoContent, r.status)
	require.Equal(t, "true", r.header.Get(headerDeleteMarker))
	marker := r.header.Get(headerVersionID)
	require.Equal(t, marker, e.signed(t, "DELETE", "/"+b+"/key", nil).header.Get(headerVersionID), "what is deleted stays as it is")
	require.Equal(t, []string{"key -*", "key two", "key one", "key zero"}, e.history(t, b, ""))
	require.Empty(t, must(e.st.bucket(b)).index.list("", "/", "", 10))

	for _, c := range []struct {
		query, code string
		marker      bool
	}{
		{"", "NoSuchKey", true},
		{"?versionId=" + marker, "MethodNotAllowed", true},
		{"?versionId=11111111-1111-4111-8111-111111111111", "NoSuchVersion", false},
		{"?versionId=x", "InvalidArgument", false},
	} {
		r := e.signed(t, "GET", "/"+b+"/key"+c.query, nil)
		require.Equal(t, c.code, r.code(t))
		require.Equal(t, c.marker, r.header.Get(headerDeleteMarker) == "true")
		require.Equal(t, c.marker, r.header.Get(headerVersionID) == marker)
		require.Equal(t, r.status, e.signed(t, "HEAD", "/"+b+"/key"+c.query, nil).status)
	}

	r = e.signed(t, "DELETE", "/"+b+"/key?versionId="+marker, nil)
	require.Equal(t, marker, r.header.Get(headerVersionID))
	require.Equal(t, "true", r.header.Get(headerDeleteMarker))
	require.Equal(t, "two", e.read(t, b, "key"), "the marker's end brings the object back")
	r = e.signed(t, "DELETE", "/"+b+"/key?versionId="+two, nil)
	require.Equal(t, two, r.header.Get(headerVersionID))
	require.Empty(t, r.header.Get(headerDeleteMarker))
	require.Equal(t, []string{"key one*", "key zero"}, e.history(t, b, ""))
	require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b+"/key?versionId="+two, nil).status)
	require.Equal(t, "BucketNotEmpty", e.signed(t, "DELETE", "/"+b, nil).code(t))
	for _, v := range []string{one, "null"} {
		require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b+"/key?versionId="+v, nil).status)
	}
	require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b+"/key", nil).status, "what never was gets no marker")
	require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b, nil).status)
}

func TestSuspendedVersioning(t *testing.T) {
	t.Parallel()
	e, b := versioned(t, Options{})
	e.put(t, b, "key", "one")
	require.NoError(t, e.SuspendVersioning(t.Context(), b))
	require.Empty(t, e.put(t, b, "key", "two").VersionID)
	require.Empty(t, e.put(t, b, "key", "three").VersionID)
	require.Equal(t, []string{"key three*", "key one"}, e.history(t, b, ""), "there is one null version")
	r := e.signed(t, "DELETE", "/"+b+"/key", nil)
	require.Empty(t, r.header.Get(headerVersionID))
	require.Equal(t, []string{"key -*", "key one"}, e.history(t, b, ""), "the null version is replaced by a marker")
	require.Equal(t, "null", e.signed(t, "GET", "/"+b+"/key", nil).header.Get(headerVersionID))
	require.Equal(t, "MethodNotAllowed", e.signed(t, "GET", "/"+b+"/key?versionId=null", nil).code(t))
	require.NoError(t, e.EnableVersioning(t.Context(), b))
	e.put(t, b, "key", "four")
	require.Equal(t, []string{"key four*", "key -", "key one"}, e.history(t, b, ""))
	require.Equal(t, http.StatusNoContent, e.signed(t, "DELETE", "/"+b+"/key?versionId=null", nil).status)
	require.Equal(t, []string{"key four*", "key one"}, e.history(t, b, ""))
}

// A restart finds every version in its order.
func TestVersionsSurviveRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, b := versioned(t, Options{Dir: dir, NoSync: true})
	for i := range 5 {
		e.put(t, b, "a", fmt.Sprint(i))
		e.put(t, b, "b", fmt.Sprint(i))
		require.NoError(t, e.RemoveObject(t.Context(), b, "b", minio.RemoveObjectOptions{}))
		require.NoError(t, e.SuspendVersioning(t.Context(), b))
		e.put(t, b, "c", fmt.Sprint(i))
		require.NoError(t, e.EnableVersioning(t.Context(), b))
		e.put(t, b, "c", "v"+fmt.Sprint(i))
	}
	before := e.history(t, b, "")
	require.NoError(t, e.Close())
	again := start(t, Options{Dir: dir, NoSync: true})
	require.Equal(t, before, again.history(t, b, ""))
	again.put(t, b, "a", "last")
	require.Equal(t, "a last*", again.history(t, b, "a")[0])
}

func TestListVersions(t *testing.T) {
	t.Parallel()
	e, b := versioned(t, Options{})
	for _, k := range []string{"a", "d/e/f", "d/x y", "d/z", "z"} {
		e.put(t, b, k, "1")
		e.put(t, b, k, "2")
	}
	for _, k := range []string{"d/z", "d/e/f"} {
		require.NoError(t, e.RemoveObject(t.Context(), b, k, minio.RemoveObjectOptions{}))
	}
	list := func(query string) string { return e.signed(t, "GET", "/"+b+"?versions&"+query, nil).body }
	whole := list("")
	keys := strings.Count(whole, "<Key>")
	require.Equal(t, 12, keys)
	require.Equal(t, 2, strings.Count(whole, "<DeleteMarker>"), whole)
	require.Equal(t, 5, strings.Count(whole, "<IsLatest>true<"))
	require.Contains(t, list("delimiter=/"), "<CommonPrefixes><Prefix>d/</Prefix></CommonPrefixes>")
	require.Contains(t, list("delimiter=/&prefix=d/&encoding-type=url"), "<Key>d/x+y</Key>")
	require.NotContains(t, list("delimiter=/&prefix=d/"), "<Key>d/e/f")
	require.Empty(t, must(e.st.bucket(b)).index.list("d/e/", "", "", 10).objects)
	require.Len(t, must(e.st.bucket(b)).index.list("d/", "/", "", 10).prefixes, 0, "a prefix of deleted keys is none")

	for limit := range 13 {
		for _, delimiter := range []string{"", "/"} {
			var got []string
			p := versionsPage{}
			for {
				next := must(e.st.bucket(b)).index.listVersions("", delimiter, p.next, p.nextVersion, 1+limit)
				for _, v := range next.versions {
					got = append(got, v.key+v.version)
				}
				got = append(got, next.prefixes...)
				if p = next; !p.truncated {
					break
				}
			}
			want := 12
			if delimiter != "" {
				want = 5
			}
			require.Len(t, got, want, "limit %d: %v", 1+limit, got)
		}
	}
	require.Equal(t, "NotImplemented", e.signed(t, "GET", "/"+b+"?versions&version-id-marker=null", nil).code(t))
}

// Versions are in the order in which they were committed, whichever upload
// ended first.
func TestVersionsAreInOrderOfCommit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, b := versioned(t, Options{Dir: dir, NoSync: true})
	bk := must(e.st.bucket(b))
	stage := func(data string) (*staged, *meta) {
		st := must(e.st.stage())
		require.NoError(t, st.readFrom(newPayload(strings.NewReader(data), -1, minio.ChecksumNone)))
		m := &meta{Key: "key", ETag: data}
		require.NoError(t, e.st.seal(bk, st, m))
		return st, m
	}
	commit := func(st *staged, m *meta) {
		require.NoError(t, e.st.put(bk, st, m, change{
			check:  func(entry, bool) error { return nil },
			events: func(*meta) ([]event, error) { return nil, nil },
		}))
	}
	one, m1 := stage("one")
	two, m2 := stage("two")
	commit(two, m2)
	commit(one, m1)
	want := []string{"key one*", "key two"}
	require.Equal(t, want, e.history(t, b, ""))
	require.NoError(t, e.Close())
	require.Equal(t, want, start(t, Options{Dir: dir, NoSync: true}).history(t, b, ""))
}

// A condition on a write is about the current version; a hidden key has none.
func TestConditionsOnVersionedWrites(t *testing.T) {
	t.Parallel()
	e, b := versioned(t, Options{})
	put := func(name, value string) reply {
		return e.signed(t, "PUT", "/"+b+"/key", []byte("x"), name, value)
	}
	etag := put("If-None-Match", "*").header.Get("ETag")
	r := put("If-None-Match", "*")
	require.Equal(t, "PreconditionFailed", r.code(t))
	require.Equal(t, etag, r.header.Get("ETag"), "it says what there is")
	require.NoError(t, e.RemoveObject(t.Context(), b, "key", minio.RemoveObjectOptions{}))
	require.Equal(t, "NoSuchKey", put("If-Match", etag).code(t))
	require.Equal(t, http.StatusOK, put("If-None-Match", "*").status)
	require.Len(t, e.history(t, b, ""), 3)
}
