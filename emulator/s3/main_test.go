package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const (
	testKey    = "drydock"
	testSecret = "drydock-secret"
	crashDir   = "DRYDOCK_S3_CRASH_DIR" // set in the process that is to be killed
	crashMode  = "DRYDOCK_S3_CRASH_MODE"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		crashHelper(dir)
		return
	}
	if err := flag.Set("rapid.checks", "30"); err != nil { // unless the command line says otherwise
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// endpoint is a Server behind a real listener, and a client for it.
type endpoint struct {
	*Server
	*minio.Client
	core minio.Core
	url  string
	http *http.Client
}

// start opens a Server on a temporary folder unless o says where.
func start(t testing.TB, o Options) *endpoint {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
		o.NoSync = true
	}
	if o.Keys == nil {
		o.Keys = map[string]Key{testKey: {Secret: testSecret}, "second": {Secret: "second-secret"}}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := Open(o)
	require.NoError(t, err)
	hs := httptest.NewServer(s)
	tr := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	e := &endpoint{Server: s, url: hs.URL, http: &http.Client{Transport: tr, CheckRedirect: noRedirect}}
	e.Client = e.client(t, testKey, testSecret)
	e.core = minio.Core{Client: e.Client}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		hs.Close()
		require.NoError(t, s.Close())
	})
	return e
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (e *endpoint) client(t testing.TB, key, secret string) *minio.Client {
	t.Helper()
	c, err := minio.New(strings.TrimPrefix(e.url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(key, secret, ""), Transport: e.http.Transport,
		Region: e.opts.Region, BucketLookup: minio.BucketLookupPath, TrailingHeaders: true, MaxRetries: 1,
	})
	require.NoError(t, err)
	return c
}

// bucketed is start with a bucket in it.
func bucketed(t testing.TB, o Options) (*endpoint, string) {
	t.Helper()
	e := start(t, o)
	require.NoError(t, e.CreateBucket("uploads"))
	return e, "uploads"
}

func (e *endpoint) put(t testing.TB, bucket, key, data string) minio.UploadInfo {
	t.Helper()
	info, err := e.PutObject(t.Context(), bucket, key, strings.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
	require.NoError(t, err)
	return info
}

func (e *endpoint) read(t testing.TB, bucket, key string) string {
	t.Helper()
	o, err := e.GetObject(t.Context(), bucket, key, minio.GetObjectOptions{})
	require.NoError(t, err)
	defer func() { _ = o.Close() }()
	b, err := io.ReadAll(o)
	require.NoError(t, err)
	return string(b)
}

// reply is an answer read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

// code is the S3 code of an error reply.
func (r reply) code(t testing.TB) string {
	t.Helper()
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
	}
	require.NoError(t, xml.Unmarshal([]byte(r.body), &e), "body: %s", r.body)
	return e.Code
}

func (e *endpoint) do(t testing.TB, req *http.Request) reply {
	t.Helper()
	resp, err := e.http.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (e *endpoint) request(t testing.TB, method, path string, body []byte, header ...string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	u, err := url.Parse(e.url)
	require.NoError(t, err)
	p, query, _ := strings.Cut(path, "?")
	u.Opaque = "//" + u.Host + p // keep the path as it is written
	u.RawQuery = query
	req, err := http.NewRequestWithContext(t.Context(), method, e.url, r)
	require.NoError(t, err)
	req.URL = u
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return req
}

// signed sends a request signed by this test's own hand.
func (e *endpoint) signed(t testing.TB, method, path string, body []byte, header ...string) reply {
	t.Helper()
	return e.do(t, e.sign(t, e.request(t, method, path, body, header...), unsignedPayload))
}

func (e *endpoint) sign(t testing.TB, req *http.Request, hash string) *http.Request {
	t.Helper()
	return e.signAs(t, testKey, testSecret, req, hash)
}

func (e *endpoint) signAs(t testing.TB, key, secret string, req *http.Request, hash string) *http.Request {
	t.Helper()
	now := e.now().UTC()
	req.Header.Set("X-Amz-Date", now.Format(amzDateFormat))
	req.Header.Set("X-Amz-Content-Sha256", hash)
	cred := credential{key, now.Format(scopeDateFormat), e.opts.Region, "s3"}
	signed := []string{"host"}
	for name := range req.Header {
		signed = append(signed, strings.ToLower(name))
	}
	slices.Sort(signed)
	path, err := url.PathUnescape(strings.TrimPrefix(req.URL.Opaque, "//"+req.URL.Host))
	require.NoError(t, err)
	view := req.Clone(t.Context())
	view.URL = &url.URL{Path: path}
	view.Host = req.URL.Host
	sig := requestSignature(view, req.URL.Query(), signed, hash, now.Format(amzDateFormat), cred.scope(), cred.signingKey(secret))
	req.Header.Set("Authorization", sigAlgorithm+" Credential="+key+"/"+cred.scope()+", SignedHeaders="+strings.Join(signed, ";")+", Signature="+sig)
	return req
}

// codeOf is the S3 code of a client's error.
func codeOf(err error) string {
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func randomBytes(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.Read(b)
	require.NoError(t, err)
	return b
}

// eventually polls until ok holds.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNow(t, "timed out", what)
		}
	}
}
