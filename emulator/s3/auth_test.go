package s3

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
)

// clock is a time that a test moves.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func TestKeys(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	put := func(key, secret string) error {
		c := e.client(t, key, secret)
		_, err := c.PutObject(t.Context(), b, "key", strings.NewReader("x"), 1, minio.PutObjectOptions{})
		return err
	}
	require.NoError(t, put(testKey, testSecret))
	require.NoError(t, put("second", "second-secret"))
	require.Equal(t, "SignatureDoesNotMatch", codeOf(put(testKey, "second-secret")))
	require.Equal(t, "InvalidAccessKeyId", codeOf(put("third", testSecret)))
}

func TestHeaderAuthRefusals(t *testing.T) {
	t.Parallel()
	var c clock
	e, b := bucketed(t, Options{Now: c.now})
	path := "/" + b + "/key"
	fresh := func() *http.Request { return e.sign(t, e.request(t, http.MethodGet, path, nil), emptySHA256) }
	altered := func(old, now string) *http.Request {
		r := fresh()
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, now, 1))
		return r
	}
	for name, x := range map[string]struct {
		req  func() *http.Request
		code string
	}{
		"anonymous": {func() *http.Request { return e.request(t, http.MethodGet, path, nil) }, "AccessDenied"},
		"bearer":    {func() *http.Request { return e.request(t, http.MethodGet, path, nil, "Authorization", "Bearer x") }, "AccessDenied"},
		"basic":     {func() *http.Request { return e.request(t, http.MethodGet, path, nil, "Authorization", "Basic eDp5") }, "InvalidRequest"},
		"empty":     {func() *http.Request { return e.request(t, http.MethodGet, path, nil, "Authorization", "") }, "InvalidRequest"},
		"two ways": {func() *http.Request {
			r := fresh()
			r.URL.RawQuery = "X-Amz-Credential=x"
			return r
		}, "InvalidRequest"},
		"token": {func() *http.Request {
			return e.sign(t, e.request(t, http.MethodGet, path, nil, "X-Amz-Security-Token", "x"), emptySHA256)
		}, "InvalidTokenId"},
		"no algorithm":               {func() *http.Request { return altered("256 ", "512 ") }, "MissingFields"},
		"no credential":              {func() *http.Request { return altered("Credential=", "X=") }, "MissingFields"},
		"no signature":               {func() *http.Request { return altered("Signature=", "Signature=,X=") }, "MissingFields"},
		"short credential":           {func() *http.Request { return altered("/us-east-1", "") }, "AuthorizationQueryParametersError"},
		"date of the credential":     {func() *http.Request { return altered("/us-east-1", "x/us-east-1") }, "AuthorizationQueryParametersError"},
		"end of the credential":      {func() *http.Request { return altered("aws4_request", "aws5_request") }, "AuthorizationQueryParametersError"},
		"signature of other letters": {func() *http.Request { return altered("Signature=", "Signature=zz") }, "SignatureDoesNotMatch"},
		"host is not signed":         {func() *http.Request { return altered("SignedHeaders=host;", "SignedHeaders=") }, "AccessDenied"},
		"malformed date": {func() *http.Request {
			r := fresh()
			r.Header.Set("X-Amz-Date", "today")
			return r
		}, "MalformedDate"},
		"malformed hash": {func() *http.Request { return e.sign(t, e.request(t, http.MethodGet, path, nil), "xyz") }, "XAmzContentSHA256Mismatch"},
		"broken": {func() *http.Request {
			return e.request(t, http.MethodGet, path, nil, "Authorization", sigAlgorithm+" x")
		}, "MissingFields"},
		"no date": {func() *http.Request {
			r := fresh()
			r.Header.Del("X-Amz-Date")
			return r
		}, "AccessDenied"},
		"no hash": {func() *http.Request {
			r := fresh()
			r.Header.Del("X-Amz-Content-Sha256") // which is signed
			return r
		}, "AccessDenied"},
		"unsigned amz header": {func() *http.Request {
			r := fresh()
			r.Header.Set("X-Amz-Meta-Sneaked", "in")
			return r
		}, "AccessDenied"},
		"changed header": {func() *http.Request {
			r := e.sign(t, e.request(t, http.MethodGet, path, nil, "X-Amz-Meta-A", "1"), emptySHA256)
			r.Header.Set("X-Amz-Meta-A", "2")
			return r
		}, "SignatureDoesNotMatch"},
		"signed header taken away": {func() *http.Request {
			r := e.sign(t, e.request(t, http.MethodGet, path, nil, "Cache-Control", "no-store"), emptySHA256)
			r.Header.Del("Cache-Control")
			return r
		}, "AccessDenied"},
		"changed query": {func() *http.Request {
			r := fresh()
			r.URL.RawQuery = "versionId=null"
			return r
		}, "SignatureDoesNotMatch"},
		"changed path": {func() *http.Request {
			r := fresh()
			r.URL.Opaque += "2"
			return r
		}, "SignatureDoesNotMatch"},
		"changed method": {func() *http.Request {
			r := fresh()
			r.Method = http.MethodDelete
			return r
		}, "SignatureDoesNotMatch"},
		"other service": {func() *http.Request {
			r := fresh()
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/s3/", "/sts/", 1))
			return r
		}, "AuthorizationParametersError"},
	} {
		t.Run(name, func(t *testing.T) {
			r := e.do(t, x.req())
			require.Equal(t, x.code, r.code(t), r.body)
		})
	}
	old := fresh()
	c.ahead.Store(int64(16 * time.Minute))
	require.Equal(t, "RequestTimeTooSkewed", e.do(t, old).code(t))
	ahead := fresh()
	c.ahead.Store(0)
	require.Equal(t, "RequestTimeTooSkewed", e.do(t, ahead).code(t))
}

func TestRegion(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{Region: "eu-west-1"})
	e.put(t, b, "key", "x")
	loc, err := e.GetBucketLocation(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, "eu-west-1", loc)
	req := e.sign(t, e.request(t, http.MethodGet, "/"+b+"/key", nil), emptySHA256)
	req.Header.Set("Authorization", strings.Replace(req.Header.Get("Authorization"), "eu-west-1", "us-east-1", 1))
	r := e.do(t, req)
	require.Equal(t, "AuthorizationHeaderMalformed", r.code(t))
	require.Equal(t, "eu-west-1", between(r.body, "<Region>", "</Region>"))
	other := []byte("<CreateBucketConfiguration><LocationConstraint>us-west-2</LocationConstraint></CreateBucketConfiguration>")
	require.Equal(t, "InvalidRegion", e.signed(t, http.MethodPut, "/other", other).code(t))
	require.Equal(t, "eu-west-1", e.signed(t, http.MethodHead, "/"+b, nil).header.Get("X-Amz-Bucket-Region"))
}

// Where no region is set, every client's is right.
func TestAnyRegion(t *testing.T) {
	t.Parallel()
	e, _ := bucketed(t, Options{})
	elsewhere, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(testKey, testSecret, ""), Region: "eu-west-1", Transport: e.http.Transport, MaxRetries: 1,
	})
	require.NoError(t, err)
	require.NoError(t, elsewhere.MakeBucket(t.Context(), "other", minio.MakeBucketOptions{Region: "us-west-2"}))
}

// edited is a link with another value of a parameter, or without it.
func edited(u *url.URL, name, value string) string {
	q := u.Query()
	q.Set(name, value)
	if value == "" {
		q.Del(name)
	}
	v := *u
	v.RawQuery = q.Encode()
	return v.String()
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	var c clock
	e, b := bucketed(t, Options{Now: c.now})
	ctx := t.Context()
	send := func(method, u, body string, header ...string) reply {
		req, err := http.NewRequestWithContext(ctx, method, u, strings.NewReader(body))
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return e.do(t, req)
	}
	put, err := e.PresignedPutObject(ctx, b, "a/ü b", time.Minute)
	require.NoError(t, err)
	require.Equal(t, 200, send(http.MethodPut, put.String(), "data").status)
	require.Equal(t, "data", e.read(t, b, "a/ü b"))
	get, err := e.PresignedGetObject(ctx, b, "a/ü b", time.Minute, url.Values{"response-content-type": {"text/x"}})
	require.NoError(t, err)
	r := send(http.MethodGet, get.String(), "")
	require.Equal(t, "data", r.body)
	require.Equal(t, "text/x", r.header.Get("Content-Type"))

	t.Run("tampering", func(t *testing.T) {
		for name, u := range map[string]string{
			"path":      strings.Replace(get.String(), "/a/", "/b/", 1),
			"expiry":    edited(get, "X-Amz-Expires", "61"),
			"parameter": edited(get, "response-content-type", "text/html"),
			"added":     edited(get, "response-cache-control", "no-store"),
			"removed":   edited(get, "response-content-type", ""),
			"signature": edited(get, "X-Amz-Signature", strings.Repeat("0", 64)),
		} {
			require.Equal(t, "SignatureDoesNotMatch", send(http.MethodGet, u, "").code(t), name)
		}
		require.Equal(t, "SignatureDoesNotMatch", send(http.MethodDelete, get.String(), "").code(t))
		require.Equal(t, "AccessDenied", send(http.MethodPut, put.String(), "x", "X-Amz-Meta-Sneaked", "in").code(t))
		require.Equal(t, "InvalidAccessKeyId", send(http.MethodGet, edited(get, "X-Amz-Credential", strings.Replace(get.Query().Get("X-Amz-Credential"), testKey, "nobody", 1)), "").code(t))
	})
	t.Run("malformed", func(t *testing.T) {
		for _, x := range [][2]string{
			{"X-Amz-Expires", "-1"}, {"X-Amz-Expires", "604801"}, {"X-Amz-Expires", "soon"},
			{"X-Amz-Expires", ""}, {"X-Amz-Date", "today"}, {"X-Amz-Algorithm", "AWS4"}, {"X-Amz-Credential", "a/b"},
			{"X-Amz-SignedHeaders", ""}, {"X-Amz-Signature", ""}, {"X-Amz-Date", ""}, {"X-Amz-Algorithm", ""},
		} {
			require.Equal(t, "AuthorizationQueryParametersError", send(http.MethodGet, edited(get, x[0], x[1]), "").code(t), x)
		}
	})
	t.Run("signed headers", func(t *testing.T) {
		u, err := e.PresignHeader(ctx, http.MethodPut, b, "typed", time.Minute, nil, http.Header{
			"Content-Type": {"image/png"}, "Content-Length": {"4"}, "X-Amz-Meta-Owner": {"me"},
		})
		require.NoError(t, err)
		good := []string{"Content-Type", "image/png", "X-Amz-Meta-Owner", "me"}
		require.Equal(t, 200, send(http.MethodPut, u.String(), "data", good...).status)
		require.Equal(t, "SignatureDoesNotMatch", send(http.MethodPut, u.String(), "data2", good...).code(t), "content-length")
		require.Equal(t, "SignatureDoesNotMatch", send(http.MethodPut, u.String(), "data", "Content-Type", "text/html", "X-Amz-Meta-Owner", "me").code(t))
		require.Equal(t, "SignatureDoesNotMatch", send(http.MethodPut, u.String(), "data", "Content-Type", "image/png", "X-Amz-Meta-Owner", "you").code(t))
		require.Equal(t, "AccessDenied", send(http.MethodPut, u.String(), "data", "X-Amz-Meta-Owner", "me").code(t))
	})
	t.Run("time", func(t *testing.T) {
		r := send(http.MethodGet, edited(get, "X-Amz-Expires", "0"), "")
		require.Contains(t, r.body, "Request has expired")
		require.Equal(t, "AccessDenied", send(http.MethodGet, edited(get, "X-Amz-Credential", ""), "").code(t), "nobody's")
		c.ahead.Store(int64(2 * time.Minute))
		r = send(http.MethodGet, get.String(), "")
		require.Equal(t, "AccessDenied", r.code(t))
		require.Contains(t, r.body, "Request has expired")
		c.ahead.Store(-int64(16 * time.Minute))
		r = send(http.MethodGet, get.String(), "")
		require.Equal(t, "AccessDenied", r.code(t))
		require.Contains(t, r.body, "Request is not valid yet")
	})
}

// Signatures of chunks are checked, and what they cover is what is stored.
func TestStreamingTampering(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	data := bytes.Repeat([]byte("drydock "), 20_000)
	for name, edit := range map[string]func([]byte) []byte{
		"intact": func(b []byte) []byte { return b },
		"data":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"signature": func(b []byte) []byte {
			return bytes.Replace(b, []byte("chunk-signature="), []byte("chunk-signaturE="), 1)
		},
		"size": func(b []byte) []byte { b[0] = '2'; return b },
		"last chunk": func(b []byte) []byte {
			i := bytes.LastIndex(b, []byte("0;chunk"))
			return append(b[:i:i], bytes.Repeat([]byte("\n"), len(b)-i)...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
				Creds: credentials.NewStaticV4(testKey, testSecret, ""), Region: "us-east-1", MaxRetries: 1,
				Transport: &editing{next: e.http.Transport, edit: edit},
			})
			require.NoError(t, err)
			_, err = c.PutObject(t.Context(), b, name, bytes.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
			if name == "intact" {
				require.NoError(t, err)
				require.Equal(t, string(data), e.read(t, b, name))
				return
			}
			require.Error(t, err)
			require.Equal(t, 404, e.signed(t, http.MethodHead, "/"+b+"/"+uriEncode(name, true), nil).status)
		})
	}
}

// editing changes the bodies of requests on their way.
type editing struct {
	next http.RoundTripper
	edit func([]byte) []byte
}

func (x *editing) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return x.next.RoundTrip(r)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(x.edit(b)))
	return x.next.RoundTrip(r)
}

// AWS's clients sign the values of one name in their order, minio-go in the
// order in which they are sent.
func TestRepeatedParameters(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	for _, sorted := range []bool{false, true} {
		req := e.request(t, "GET", "/"+b+"?location&x-id=b&x-id=a", nil)
		sent := req.URL.RawQuery
		if sorted {
			req.URL.RawQuery = "location&x-id=a&x-id=b"
		}
		req = e.sign(t, req, unsignedPayload)
		req.URL.RawQuery = sent
		require.Equal(t, 200, e.do(t, req).status)
		req.URL.RawQuery += "&x-id=c"
		require.Equal(t, "SignatureDoesNotMatch", e.do(t, req).code(t))
	}
}

// curl --aws-sigv4 sends no hash, and signs as if there were no body.
func TestAuthWithoutHash(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	put := func(signature func(string) string) reply {
		now := e.now().UTC()
		r := e.request(t, http.MethodPut, "/"+b+"/key", []byte("hello"), "X-Amz-Date", now.Format(amzDateFormat))
		cred := credential{testKey, now.Format(scopeDateFormat), e.opts.Region, "s3"}
		signed := []string{"host", "x-amz-date"}
		view := r.Clone(t.Context())
		view.URL, view.Host = &url.URL{Path: "/" + b + "/key"}, r.URL.Host
		sig := requestSignature(view, nil, signed, emptySHA256, now.Format(amzDateFormat), cred.scope(), cred.signingKey(testSecret))
		r.Header.Set("Authorization", sigAlgorithm+" Credential="+testKey+"/"+cred.scope()+", SignedHeaders=host;x-amz-date, Signature="+signature(sig))
		return e.do(t, r)
	}
	require.Equal(t, "SignatureDoesNotMatch", put(func(s string) string { return strings.Repeat("0", len(s)) }).code(t))
	require.Equal(t, http.StatusOK, put(func(s string) string { return s }).status)
	require.Equal(t, "hello", e.read(t, b, "key"))
}
