package s3

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"
	"github.com/stretchr/testify/require"
)

// signedV2 sends a request as an old client signs it, after edit.
func (e *endpoint) signedV2(t *testing.T, method, path string, edit func(*http.Request)) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.url+path, nil)
	require.NoError(t, err)
	req.Header.Set("X-Amz-Meta-Kind", "old")
	req.Header.Set("Date", e.now().UTC().Format(http.TimeFormat))
	req = signer.SignV2(*req, testKey, testSecret, false)
	edit(req)
	return e.do(t, req)
}

// Old clients sign with SigV2.
func TestSigV2(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	old, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV2(testKey, testSecret, ""), Transport: e.http.Transport, MaxRetries: 1,
	})
	require.NoError(t, err)
	_, err = old.PutObject(t.Context(), b, "a/ü &+%.txt", strings.NewReader("old"), 3, minio.PutObjectOptions{})
	require.NoError(t, err)
	require.Equal(t, "old", e.read(t, b, "a/ü &+%.txt"))

	link, err := old.PresignedGetObject(t.Context(), b, "a/ü &+%.txt", time.Minute, url.Values{"response-content-type": {"text/x"}})
	require.NoError(t, err)
	get := func(u string) reply {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		require.NoError(t, err)
		return e.do(t, req)
	}
	r := get(link.String())
	require.Equal(t, "old", r.body)
	require.Equal(t, "text/x", r.header.Get("Content-Type"))
	require.Equal(t, "SignatureDoesNotMatch", get(edited(link, "response-content-type", "text/html")).code(t))
	require.Equal(t, "SignatureDoesNotMatch", get(edited(link, "Expires", "99999999999")).code(t))
	require.Equal(t, "AuthorizationQueryParametersError", get(edited(link, "Expires", "soon")).code(t))
	require.Contains(t, get(edited(link, "Expires", "1")).body, "Request has expired")
	require.Equal(t, "AccessDenied", get(edited(link, "Signature", "")).code(t))
	require.Equal(t, "InvalidAccessKeyId", get(edited(link, "AWSAccessKeyId", "nobody")).code(t))

	for name, c := range map[string]struct {
		edit func(*http.Request)
		code string
	}{
		"method":    {func(r *http.Request) { r.Method = http.MethodDelete }, "SignatureDoesNotMatch"},
		"path":      {func(r *http.Request) { r.URL.Path += "2" }, "SignatureDoesNotMatch"},
		"header":    {func(r *http.Request) { r.Header.Set("X-Amz-Meta-Kind", "new") }, "SignatureDoesNotMatch"},
		"type":      {func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, "SignatureDoesNotMatch"},
		"parameter": {func(r *http.Request) { r.URL.RawQuery = "versionId=null" }, "SignatureDoesNotMatch"},
		"key": {func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), testKey, "nobody", 1))
		}, "InvalidAccessKeyId"},
		"malformed": {func(r *http.Request) { r.Header.Set("Authorization", "AWS nothing") }, "AuthorizationHeaderMalformed"},
		"no date":   {func(r *http.Request) { r.Header.Del("Date") }, "AccessDenied"},
		"old date": {func(r *http.Request) {
			r.Header.Set("Date", e.now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		}, "RequestTimeTooSkewed"},
	} {
		require.Equal(t, c.code, e.signedV2(t, http.MethodGet, "/"+b+"/key", c.edit).code(t), name)
	}
	require.Equal(t, "NoSuchKey", e.signedV2(t, http.MethodGet, "/"+b+"/key", func(*http.Request) {}).code(t))
}

// A page of an old program signs its form so, too.
func TestFormSigV2(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	old, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV2(testKey, testSecret, ""), Transport: e.http.Transport, MaxRetries: 1,
	})
	require.NoError(t, err)
	policy := minio.NewPostPolicy()
	require.NoError(t, policy.SetBucket(b))
	require.NoError(t, policy.SetKey("form"))
	require.NoError(t, policy.SetExpires(time.Now().Add(time.Minute)))
	_, fields, err := old.PresignedPostPolicy(t.Context(), policy)
	require.NoError(t, err)
	post := func(fields map[string]string) reply {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range fields {
			require.NoError(t, w.WriteField(name, value))
		}
		file, err := w.CreateFormFile("file", "old.txt")
		require.NoError(t, err)
		_, err = io.WriteString(file, "old")
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return e.do(t, e.request(t, http.MethodPost, "/"+b, body.Bytes(), "Content-Type", w.FormDataContentType()))
	}
	require.Equal(t, 204, post(fields).status)
	require.Equal(t, "old", e.read(t, b, "form"))
	fields["signature"] = "AAAA"
	require.Equal(t, "SignatureDoesNotMatch", post(fields).code(t))
	fields["AWSAccessKeyId"] = "nobody"
	require.Equal(t, "InvalidAccessKeyId", post(fields).code(t))
}
