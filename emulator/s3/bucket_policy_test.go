package s3

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	access "github.com/minio/minio-go/v7/pkg/policy"
	"github.com/stretchr/testify/require"
)

// setPolicy lets everybody do what a statement says.
func (e *endpoint) setPolicy(t testing.TB, bucket, statements string) {
	t.Helper()
	document := `{"Version": "2012-10-17", "Statement": [` + strings.ReplaceAll(statements, `"Effect"`, `"Principal": {"AWS": "*"}, "Effect"`) + `]}`
	require.NoError(t, e.SetBucketPolicy(t.Context(), bucket, document))
}

// anyone sends a request that nobody signed.
func (e *endpoint) anyone(t testing.TB, method, path string, body []byte, header ...string) reply {
	t.Helper()
	return e.do(t, e.request(t, method, path, body, header...))
}

func TestNobodyMayDoAnything(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "x")
	for key := range e.routes {
		path := [...]string{"/", "/" + b, "/" + b + "/key"}[key.level]
		var body []byte
		var header []string
		switch {
		case key.sub == subPOST:
			header = []string{"Content-Type", "multipart/form-data; boundary=x"}
			body = []byte("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nx\r\n--x--\r\n")
		case key.sub != "":
			path += "?" + key.sub
		}
		if key.sub == "delete" {
			const body = "<Delete><Object><Key>key</Key></Object></Delete>"
			r := e.anyone(t, key.method, path, []byte(body), "Content-Md5", contentMD5(body))
			require.Contains(t, r.body, "<Error><Code>AccessDenied</Code>")
			continue
		}
		r := e.anyone(t, key.method, path, body, header...)
		require.Equal(t, http.StatusForbidden, r.status, "%s: %s", key, r.body)
	}
	for _, path := range []string{"/absent", "/absent/key", "/" + b + "?surprise"} {
		require.Equal(t, "AccessDenied", e.anyone(t, http.MethodGet, path, nil).code(t), path)
	}
	require.Equal(t, "x", e.read(t, b, "key"))
}

func TestPublicReads(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "open/a b", "data")
	e.put(t, b, "shut", "data")
	e.setPolicy(t, b, `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::uploads/*"},
		{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::uploads/shut*"}`)
	r := e.anyone(t, http.MethodGet, "/"+b+"/open/a%20b?response-content-type=text/x", nil, "Range", "bytes=1-2")
	require.Equal(t, 206, r.status)
	require.Equal(t, "at", r.body)
	require.Equal(t, 200, e.anyone(t, http.MethodHead, "/"+b+"/open/a%20b", nil).status)
	require.Equal(t, "NoSuchKey", e.anyone(t, http.MethodGet, "/"+b+"/open/other", nil).code(t))
	for _, refused := range []reply{
		e.anyone(t, http.MethodGet, "/"+b+"/shut", nil),
		e.anyone(t, http.MethodGet, "/"+b, nil),
		e.anyone(t, http.MethodGet, "/", nil),
		e.anyone(t, http.MethodPut, "/"+b+"/open/new", []byte("x")),
		e.anyone(t, http.MethodPut, "/"+b+"/open/new", nil, "X-Amz-Copy-Source", "/"+b+"/open/a b"),
		e.anyone(t, http.MethodDelete, "/"+b+"/open/a%20b", nil),
		e.anyone(t, http.MethodGet, "/"+b+"?policy", nil),
	} {
		require.Equal(t, "AccessDenied", refused.code(t))
	}
	t.Run("a signature that is wrong is not nobody's", func(t *testing.T) {
		req := e.sign(t, e.request(t, http.MethodGet, "/"+b+"/open/a%20b", nil), emptySHA256)
		req.Header.Set("X-Amz-Content-Sha256", unsignedPayload)
		require.Equal(t, "SignatureDoesNotMatch", e.do(t, req).code(t))
	})
	t.Run("keys do what their own policies say", func(t *testing.T) {
		require.Equal(t, "data", e.read(t, b, "shut"))
	})
	require.NoError(t, e.SetBucketPolicy(t.Context(), b, ""))
	require.Equal(t, "AccessDenied", e.anyone(t, http.MethodGet, "/"+b+"/open/a%20b", nil).code(t))
}

func TestPublicWrites(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.setPolicy(t, b, `{"Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": "arn:aws:s3:::uploads/in/*"}`)
	nobody, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4("", "", ""), Transport: e.http.Transport, MaxRetries: 1, TrailingHeaders: true,
	})
	require.NoError(t, err)
	put := func(key, data string, o minio.PutObjectOptions) error {
		_, err := nobody.PutObject(t.Context(), b, key, strings.NewReader(data), int64(len(data)), o)
		return err
	}
	require.NoError(t, put("in/plain", "data", minio.PutObjectOptions{}))
	require.NoError(t, put("in/checked", "data", minio.PutObjectOptions{Checksum: minio.ChecksumCRC32C}))
	require.Equal(t, "data", e.read(t, b, "in/plain")+strings.TrimPrefix(e.read(t, b, "in/checked"), "data"))
	large := strings.Repeat("drydock ", 1<<20)
	require.NoError(t, put("in/parts", large, minio.PutObjectOptions{PartSize: 5 << 20}))
	require.Equal(t, large, e.read(t, b, "in/parts"))
	require.Equal(t, "AccessDenied", codeOf(put("out", "data", minio.PutObjectOptions{})))
	require.Equal(t, "AccessDenied", e.anyone(t, http.MethodPut, "/"+b+"/in/lying", []byte("0;chunk-signature=0\r\n\r\n"),
		"X-Amz-Content-Sha256", streamingSigned, "X-Amz-Decoded-Content-Length", "0").code(t))

	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(t, w.WriteField("key", "in/form"))
	file, err := w.CreateFormFile("file", "f")
	require.NoError(t, err)
	_, err = io.WriteString(file, "data")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	r := e.anyone(t, http.MethodPost, "/"+b, form.Bytes(), "Content-Type", w.FormDataContentType())
	require.Equal(t, 403, r.status, "forms have to be signed")
}

func TestConditionsOnNobody(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	for condition, want := range map[string]int{
		`"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}`:                                                                200,
		`"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}`:                                                             403,
		`"Bool": {"aws:SecureTransport": "true"}`:                                                                     403,
		`"StringLike": {"aws:Referer": "http://drydock.example/*"}`:                                                   200,
		`"StringEquals": {"s3:prefix": "a/"}, "Null": {"s3:delimiter": "true"}`:                                       200,
		`"StringEquals": {"s3:prefix": "b/"}`:                                                                         403,
		`"NumericLessThan": {"s3:max-keys": 10}`:                                                                      403,
		`"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}`:                                              200,
		`"StringEquals": {"aws:principaltype": "Anonymous"}, "Null": {"aws:username": "true", "s3:authType": "true"}`: 200,
	} {
		e.setPolicy(t, b, `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::uploads", "Condition": {`+condition+`}}`)
		r := e.anyone(t, http.MethodGet, "/"+b+"?prefix=a/&max-keys=10", nil,
			"Referer", "http://drydock.example/page", "X-Forwarded-For", "10.0.0.1")
		require.Equal(t, want, r.status, condition)
	}
}

func TestBucketPolicyDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, b := bucketed(t, Options{Dir: dir})
	put := func(document string) reply { return e.signed(t, http.MethodPut, "/"+b+"?policy", []byte(document)) }
	status := func() string {
		return between(e.signed(t, http.MethodGet, "/"+b+"?policyStatus", nil).body, "<IsPublic>", "</IsPublic>")
	}
	require.Equal(t, "NoSuchBucketPolicy", e.signed(t, http.MethodGet, "/"+b+"?policy", nil).code(t))
	require.Equal(t, "FALSE", status())
	require.Equal(t, 204, e.signed(t, http.MethodDelete, "/"+b+"?policy", nil).status)

	const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::uploads/*"]}]}`
	require.Equal(t, 204, put(document+strings.Repeat(" ", maxBucketPolicy-len(document))).status)
	require.Equal(t, document, e.signed(t, http.MethodGet, "/"+b+"?policy", nil).body)
	require.Equal(t, "TRUE", status())

	for document, code := range map[string]string{
		"": "MissingContentLength",
		document + strings.Repeat(" ", maxBucketPolicy+1-len(document)): "PolicyTooLarge",
		"{}": "MalformedPolicy", "<xml/>": "MalformedPolicy", strings.ReplaceAll(document, "uploads", "other"): "MalformedPolicy",
	} {
		require.Equal(t, code, put(document).code(t), document)
	}
	r := put(`{"Version": "2008-10-17"}`)
	require.Equal(t, 400, r.status)
	require.Contains(t, r.body, "<Message>invalid version &#39;2008-10-17&#39;</Message>")
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		require.Equal(t, "NoSuchBucket", e.signed(t, method, "/absent?policy", []byte(document)).code(t))
	}
	require.NoError(t, e.Close())
	again := start(t, Options{Dir: dir})
	require.Equal(t, document, again.signed(t, http.MethodGet, "/"+b+"?policy", nil).body, "kept")
}

// What minio-go and mc set as download, upload and public is understood.
func TestAccessPolicies(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "pre/key", "data")
	for kind, can := range map[access.BucketPolicy][3]int{ // read, list, write
		access.BucketPolicyNone:      {403, 403, 403},
		access.BucketPolicyReadOnly:  {200, 200, 403},
		access.BucketPolicyWriteOnly: {403, 403, 200},
		access.BucketPolicyReadWrite: {200, 200, 200},
	} {
		p := access.BucketAccessPolicy{Version: "2012-10-17", Statements: access.SetPolicy(nil, kind, b, "pre/")}
		js, err := jsonText(p)
		require.NoError(t, err)
		if kind == access.BucketPolicyNone {
			js = ""
		}
		require.NoError(t, e.SetBucketPolicy(t.Context(), b, js))
		require.Equal(t, can[0], e.anyone(t, http.MethodGet, "/"+b+"/pre/key", nil).status, kind)
		require.Equal(t, can[1], e.anyone(t, http.MethodGet, "/"+b+"?prefix=pre/", nil).status, kind)
		require.Equal(t, can[2], e.anyone(t, http.MethodPut, "/"+b+"/pre/new", []byte("x")).status, kind)
		require.Equal(t, 403, e.anyone(t, http.MethodPut, "/"+b+"/other", []byte("x")).status, kind)
		require.Equal(t, 403, e.anyone(t, http.MethodGet, "/"+b+"?prefix=other/", nil).status, kind)
	}
}
