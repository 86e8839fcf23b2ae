package s3

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// listed is an endpoint with some keys.
func listed(t *testing.T, keys ...string) (*endpoint, string) {
	e, b := bucketed(t, Options{})
	for _, k := range keys {
		r := e.signed(t, http.MethodPut, "/"+b+"/"+uriEncode(k, true), []byte("x"))
		require.Equal(t, 200, r.status)
	}
	return e, b
}

func TestListWithDelimiter(t *testing.T) {
	t.Parallel()
	e, b := listed(t, "a", "a/1", "a/2", "b/c/1", "b/c/2", "b/d", "c", "é")
	for _, c := range []struct {
		name, prefix, delimiter, after string
		want                           []string
	}{
		{"all", "", "", "", []string{"a", "a/1", "a/2", "b/c/1", "b/c/2", "b/d", "c", "é"}},
		{"folders", "", "/", "", []string{"a", "a/", "b/", "c", "é"}},
		{"in a folder", "b/", "/", "", []string{"b/c/", "b/d"}},
		{"prefix that is a key", "a", "/", "", []string{"a", "a/"}},
		{"after a key", "", "", "a/1", []string{"a/2", "b/c/1", "b/c/2", "b/d", "c", "é"}},
		{"after an absent key", "", "", "b", []string{"b/c/1", "b/c/2", "b/d", "c", "é"}},
		{"after a folder", "", "/", "a/", []string{"b/", "c", "é"}},
		{"after a key within a folder", "", "/", "a/1", []string{"a/", "b/", "c", "é"}},
		{"after the prefix", "a/", "", "b", nil},
		{"long delimiter", "", "/c/", "", []string{"a", "a/1", "a/2", "b/c/", "b/d", "c", "é"}},
		{"nothing", "zzz", "/", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for limit := 1; limit <= 9; limit++ {
				var v1, v2 []string
				marker := c.after
				for {
					res, err := e.core.ListObjects(b, c.prefix, marker, c.delimiter, limit)
					require.NoError(t, err)
					v1 = append(v1, names(res.Contents, res.CommonPrefixes)...)
					if !res.IsTruncated {
						break
					}
					marker = res.NextMarker
				}
				token := ""
				for {
					res, err := e.core.ListObjectsV2(b, c.prefix, c.after, token, c.delimiter, limit)
					require.NoError(t, err)
					v2 = append(v2, names(res.Contents, res.CommonPrefixes)...)
					if !res.IsTruncated {
						break
					}
					token = res.NextContinuationToken
				}
				require.Equal(t, c.want, v1, "v1 limit %d", limit)
				require.Equal(t, c.want, v2, "v2 limit %d", limit)
			}
		})
	}
}

// names merges a page's keys and prefixes into one order.
func names(objects []minio.ObjectInfo, prefixes []minio.CommonPrefix) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.Key)
	}
	for _, p := range prefixes {
		all = append(all, p.Prefix)
	}
	slices.Sort(all)
	return all
}

func TestListDetails(t *testing.T) {
	t.Parallel()
	e, b := listed(t, "sp ace/+", "plain")
	r := e.signed(t, http.MethodGet, "/"+b+"?list-type=2&encoding-type=url&fetch-owner=true&max-keys=5000", nil)
	var v2 listResultV2
	require.NoError(t, xml.Unmarshal([]byte(r.body), &v2))
	require.Equal(t, 2, v2.KeyCount)
	require.Equal(t, 1000, v2.MaxKeys)
	require.Regexp(t, `<Contents><Key>plain</Key><LastModified>[^<]+</LastModified><ETag>&#34;9dd4e461268c8034f5c8564e155c67a6&#34;</ETag><Size>1</Size>`+
		`<Owner><ID>drydock</ID><DisplayName>drydock</DisplayName></Owner><StorageClass>STANDARD</StorageClass></Contents><Contents><Key>sp\+ace/%2B</Key>`, r.body)

	r = e.signed(t, http.MethodGet, "/"+b+"?list-type=2&max-keys=0", nil)
	require.NoError(t, xml.Unmarshal([]byte(r.body), &v2))
	for _, q := range []string{"max-keys=x", "max-keys=-1", "encoding-type=base64", "list-type=2&continuation-token=%3D"} {
		require.Equal(t, "InvalidArgument", e.signed(t, http.MethodGet, "/"+b+"?"+q, nil).code(t), q)
	}
}

// A page costs what it returns, not what the bucket holds.
func TestListOfManyIsFast(t *testing.T) {
	t.Parallel()
	x := newIndex()
	for i := range 100_000 {
		x.set(entry{key: fmt.Sprintf("incoming/%03d/%06d", i%500, i), modified: time.Now()})
	}
	eventually(t, func() bool { // as a busy machine may take its time over some of them
		start := time.Now()
		p := x.list("incoming/", "", "incoming/250/050250", 20)
		require.Len(t, p.objects, 20)
		require.True(t, p.truncated)
		require.Equal(t, "incoming/250/050750", p.objects[0].key)
		p = x.list("incoming/", "/", "", 1000)
		require.Len(t, p.prefixes, 500)
		return time.Since(start) < 200*time.Millisecond
	}, "a page is fast")
}

func BenchmarkListPage(b *testing.B) {
	x := newIndex()
	for i := range 100_000 {
		x.set(entry{key: fmt.Sprintf("incoming/%06d", i)})
	}
	for b.Loop() {
		x.list("incoming/", "", "incoming/050000", 20)
	}
}
