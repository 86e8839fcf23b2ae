package s3

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3/iam"
)

func jsonText(v any) (string, error) {
	js, err := json.Marshal(v)
	return string(js), err
}

// allowing is the policy of statements, each of an effect, actions and a resource:
// "Allow s3:GetObject,s3:PutObject uploads/*".
func allowing(t testing.TB, statements ...string) *iam.Policy {
	t.Helper()
	var all []string
	for _, s := range statements {
		f := strings.Fields(s)
		all = append(all, fmt.Sprintf(`{"Effect": %q, "Action": ["%s"], "Resource": "arn:aws:s3:::%s"}`, f[0], strings.ReplaceAll(f[1], ",", `","`), f[2]))
	}
	p, err := iam.Parse([]byte(`{"Version": "2012-10-17", "Statement": [` + strings.Join(all, ",") + `]}`))
	require.NoError(t, err)
	return p
}

// with opens an endpoint where somebody has a policy, and returns a client of theirs.
func with(t testing.TB, p *iam.Policy) (*endpoint, string, *minio.Client) {
	t.Helper()
	e, b := bucketed(t, Options{Keys: map[string]Key{testKey: {Secret: testSecret}, "some": {"some-secret", p}}})
	return e, b, e.client(t, "some", "some-secret")
}

func TestKeyDoesWhatItsPolicyAllows(t *testing.T) {
	t.Parallel()
	e, b, some := with(t, allowing(t, "Allow s3:GetObject,s3:PutObject uploads/open/*", "Deny s3:PutObject uploads/open/kept"))
	e.put(t, b, "open/1", "x")
	e.put(t, b, "shut/1", "x")
	stat := func(key string) error {
		_, err := some.StatObject(t.Context(), b, key, minio.StatObjectOptions{})
		return err
	}
	put := func(key string) error {
		_, err := some.PutObject(t.Context(), b, key, strings.NewReader("y"), 1, minio.PutObjectOptions{})
		return err
	}
	require.NoError(t, stat("open/1"))
	require.Equal(t, "NoSuchKey", codeOf(stat("open/2")))
	require.NoError(t, put("open/2"))
	for _, err := range []error{stat("shut/1"), put("shut/2"), put("open/kept"), some.RemoveObject(t.Context(), b, "open/1", minio.RemoveObjectOptions{})} {
		require.Equal(t, "AccessDenied", codeOf(err))
	}
	_, err := some.BucketExists(t.Context(), "absent")
	require.Equal(t, "AccessDenied", codeOf(err), "what may not be seen is not said to be missing")
}

// Every route says what it needs: one that does not is open to keys without a
// policy alone.
func TestRoutesHaveActions(t *testing.T) {
	t.Parallel()
	asking := map[string]bool{}
	for key, rt := range routes() {
		if rt.action == asksItself {
			asking[key.String()] = true
			continue
		}
		require.True(t, iam.Known(rt.action) && !strings.Contains(rt.action, "*"), "%s: %q", key, rt.action)
	}
	require.Equal(t, map[string]bool{"GET /": true, "POST /{bucket}?delete": true, "POST /{bucket} (form)": true}, asking)
}

func TestListBucketsOnlyThoseThatMayBeSeen(t *testing.T) {
	t.Parallel()
	names := func(p *iam.Policy) string {
		e, _, some := with(t, p)
		require.NoError(t, e.CreateBucket("uploads2"))
		buckets, err := some.ListBuckets(t.Context())
		if err != nil {
			return codeOf(err)
		}
		var all []string
		for _, b := range buckets {
			all = append(all, b.Name)
		}
		return strings.Join(all, " ")
	}
	require.Equal(t, "uploads uploads2", names(allowing(t, "Allow s3:ListAllMyBuckets *")))
	require.Equal(t, "uploads2", names(allowing(t, "Allow s3:GetBucketLocation uploads2")))
	require.Equal(t, "uploads", names(allowing(t, "Allow s3:ListBucket *", "Deny s3:ListBucket uploads2")))
	require.Equal(t, "AccessDenied", names(allowing(t, "Allow s3:GetObject *")))
}

func TestCopyNeedsTheSource(t *testing.T) {
	t.Parallel()
	e, b, some := with(t, allowing(t, "Allow s3:PutObject uploads/*", "Allow s3:GetObject uploads/open/*"))
	e.put(t, b, "open/1", "x")
	e.put(t, b, "shut/1", "x")
	do := func(bucket, source string) error {
		_, err := some.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: b, Object: "copy"}, minio.CopySrcOptions{Bucket: bucket, Object: source})
		return err
	}
	require.NoError(t, do(b, "open/1"))
	require.Equal(t, "AccessDenied", codeOf(do(b, "shut/1")))
	require.Equal(t, "AccessDenied", codeOf(do("absent", "x")))
	core := minio.Core{Client: some}
	id, err := core.NewMultipartUpload(t.Context(), b, "parts", minio.PutObjectOptions{})
	require.NoError(t, err)
	_, err = core.CopyObjectPart(t.Context(), b, "shut/1", b, "parts", id, 1, 0, -1, nil)
	require.Equal(t, "AccessDenied", codeOf(err))
	_, err = core.ListObjectParts(t.Context(), b, "parts", id, 0, 10)
	require.Equal(t, "AccessDenied", codeOf(err))
	require.Equal(t, "AccessDenied", codeOf(core.AbortMultipartUpload(t.Context(), b, "parts", id)))
}

func TestEachKeyOfAMultiDelete(t *testing.T) {
	t.Parallel()
	e, b, some := with(t, allowing(t, "Allow s3:DeleteObject uploads/open/*"))
	objects := make(chan minio.ObjectInfo, 3)
	for _, key := range []string{"open/1", "shut/1", "open/2"} {
		e.put(t, b, key, "x")
		objects <- minio.ObjectInfo{Key: key}
	}
	close(objects)
	refused := map[string]string{}
	for r := range some.RemoveObjects(t.Context(), b, objects, minio.RemoveObjectsOptions{}) {
		refused[r.ObjectName] = codeOf(r.Err)
	}
	require.Equal(t, map[string]string{"shut/1": "AccessDenied"}, refused)
	require.Equal(t, "x", e.read(t, b, "shut/1"))
}

func TestFormsAndLinksOfAKeyWithAPolicy(t *testing.T) {
	t.Parallel()
	e, b, some := with(t, allowing(t, "Allow s3:PutObject uploads/in/*", "Allow s3:GetObject uploads/in/*"))
	for key, want := range map[string]int{"in/1": 204, "out/1": 403} {
		p := minio.NewPostPolicy()
		require.NoError(t, p.SetBucket(b))
		require.NoError(t, p.SetKey(key))
		require.NoError(t, p.SetExpires(time.Now().Add(time.Minute)))
		u, fields, err := some.PresignedPostPolicy(t.Context(), p)
		require.NoError(t, err)
		var form strings.Builder
		for name, value := range fields {
			fmt.Fprintf(&form, "--x\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", name, value)
		}
		form.WriteString("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\ndata\r\n--x--\r\n")
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.String(), strings.NewReader(form.String()))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "multipart/form-data; boundary=x")
		require.Equal(t, want, e.do(t, req).status, key)
	}
	e.put(t, b, "out/2", "data")
	for key, want := range map[string]int{"in/1": 200, "out/2": 403} {
		u, err := some.PresignedGetObject(t.Context(), b, key, time.Minute, nil)
		require.NoError(t, err)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
		require.NoError(t, err)
		require.Equal(t, want, e.do(t, req).status, key)
	}
}

func TestPrefixesOfAListing(t *testing.T) {
	t.Parallel()
	p, err := iam.Parse([]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::uploads",
		"Condition": {"StringLike": {"s3:prefix": "home/${aws:username}/*"}}}}`))
	require.NoError(t, err)
	e, b, some := with(t, p)
	e.put(t, b, "home/some/1", "x")
	list := func(prefix string) error {
		for o := range some.ListObjects(t.Context(), b, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				return o.Err
			}
		}
		return nil
	}
	require.NoError(t, list("home/some/"))
	require.Equal(t, "AccessDenied", codeOf(list("home/other/")))
	require.Equal(t, "AccessDenied", codeOf(list("")))
}

func TestLocksNeedMoreThanWriting(t *testing.T) {
	t.Parallel()
	_, b, some := with(t, allowing(t, "Allow s3:PutObject uploads/*"))
	for _, o := range []minio.PutObjectOptions{
		{LegalHold: minio.LegalHoldEnabled},
		{Mode: minio.Governance, RetainUntilDate: time.Now().Add(time.Hour)},
	} {
		o.SendContentMd5 = true
		_, err := some.PutObject(t.Context(), b, "key", io.LimitReader(strings.NewReader("x"), 1), 1, o)
		require.Equal(t, "AccessDenied", codeOf(err))
	}
}

func TestTagsInConditions(t *testing.T) {
	t.Parallel()
	p, err := iam.Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::uploads/*", "Condition": {"StringEquals": {"s3:ExistingObjectTag/Class": "open"}}},
		{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::uploads/*", "Condition": {"StringEquals": {"s3:RequestObjectTag/Class": "open"},
			"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["Class"]}}}]}`))
	require.NoError(t, err)
	e, b, some := with(t, p)
	put := func(c *minio.Client, key string, tags map[string]string) string {
		_, err := c.PutObject(t.Context(), b, key, strings.NewReader("x"), 1, minio.PutObjectOptions{UserTags: tags})
		return codeOf(err)
	}
	require.Empty(t, put(some, "open", map[string]string{"Class": "open"}))
	require.Equal(t, "AccessDenied", put(some, "more", map[string]string{"Class": "open", "Other": "x"}))
	require.Equal(t, "AccessDenied", put(some, "none", nil))
	require.Empty(t, put(e.Client, "shut", map[string]string{"Class": "shut"}))
	require.Empty(t, put(e.Client, "none", nil))
	for key, want := range map[string]string{"open": "", "shut": "AccessDenied", "none": "AccessDenied", "absent": "AccessDenied"} {
		_, err := some.GetObjectAttributes(t.Context(), b, key, minio.ObjectAttributesOptions{})
		require.Equal(t, "AccessDenied", codeOf(err), "reading says nothing of attributes")
		o, err := some.GetObject(t.Context(), b, key, minio.GetObjectOptions{})
		require.NoError(t, err)
		_, err = io.ReadAll(o)
		require.Equal(t, want, codeOf(err), key)
		require.NoError(t, o.Close())
	}
}
