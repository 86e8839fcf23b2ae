package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func fuzz(f *testing.F) direct {
	e, _ := bucketed(f, Options{})
	return direct{e.Server}
}

// FuzzSignature wants everything refused that the fuzzer makes up, as it does
// not know the secret.
func FuzzSignature(f *testing.F) {
	s := fuzz(f)
	scope := testKey + "/20260102/us-east-1/s3/aws4_request"
	f.Add(sigAlgorithm+" Credential="+scope+", SignedHeaders=host;x-amz-date, Signature=00", "20260102T030405Z", unsignedPayload, "")
	f.Add("AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=", "", "", "")
	f.Add("AWS drydock:x", "Fri, 02 Jan 2026 03:04:05 GMT", emptySHA256, "x=%zz;y")
	f.Add("", "", "", "X-Amz-Algorithm="+sigAlgorithm+"&X-Amz-Credential="+url.QueryEscape(scope)+"&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Fuzz(func(t *testing.T, authorization, date, hash, query string) {
		h := http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}, "X-Amz-Content-Sha256": {hash}}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: "/uploads", RawQuery: query}
		r.Header = h
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code < 400 || w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatal(w.Code, w.Body)
		}
	})
}

// FuzzXML wants an answer of S3 to any body, of every handler that reads one.
func FuzzXML(f *testing.F) {
	s := fuzz(f)
	targets := []struct{ method, path, query string }{
		{http.MethodPut, "/fuzzed-bucket", ""},
		{http.MethodPost, "/uploads", "delete="},
		{http.MethodPut, "/uploads", "cors="},
		{http.MethodPut, "/uploads", "notification="},
		{http.MethodPut, "/uploads", "versioning="},
		{http.MethodPut, "/uploads", "tagging="},
		{http.MethodPut, "/uploads", "lifecycle="},
		{http.MethodPut, "/uploads", "policy="},
		{http.MethodPut, "/uploads", "object-lock="},
		{http.MethodPut, "/uploads", "encryption="},
		{http.MethodPut, "/uploads/key", "tagging="},
		{http.MethodPut, "/uploads/key", "retention="},
		{http.MethodPut, "/uploads/key", "legal-hold="},
	}
	f.Add(uint8(0), `<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>`)
	f.Add(uint8(1), `<Delete><Quiet>true</Quiet><Object><Key>a</Key><VersionId>null</VersionId></Object></Delete>`)
	f.Add(uint8(2), `<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>`)
	f.Add(uint8(3), `<NotificationConfiguration><QueueConfiguration><Queue>arn:minio:sqs::PRIMARY:nats</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>`)
	f.Add(uint8(4), `<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>`)
	f.Add(uint8(5), `<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>`)
	f.Add(uint8(6), `<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Filter><Prefix>x</Prefix></Filter><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>`)
	f.Add(uint8(7), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::uploads/*"}]}`)
	f.Add(uint8(8), `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`)
	f.Add(uint8(11), `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2026-01-03T00:00:00Z</RetainUntilDate></Retention>`)
	f.Add(uint8(12), `<LegalHold><Status>ON</Status></LegalHold>`)
	f.Fuzz(func(t *testing.T, target uint8, body string) {
		c := targets[int(target)%len(targets)]
		w := s.ask(c.method, c.path, c.query, []byte(body), http.Header{})
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatal(c, w.Code, w.Body)
		}
	})
}

// FuzzKey wants every key either refused or served as what it is, with nothing
// written outside of the folder.
func FuzzKey(f *testing.F) {
	s := fuzz(f)
	outside := filepath.Dir(s.opts.Dir)
	before := list(f, outside)
	for _, key := range []string{"a", "a/b", "a//b", "/", "..", "../../x", "a/../b", ".", "ü/\u2028", "a\nb", "%2e%2e", "\xff", "a\x00", strings.Repeat("k", 1025)} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" {
			return
		}
		path := "/uploads/" + key
		w := s.ask(http.MethodPut, path, "", []byte(key), http.Header{})
		if w.Code != http.StatusOK {
			if w.Code != http.StatusBadRequest {
				t.Fatal(w.Code, w.Body)
			}
			return
		}
		if w := s.ask(http.MethodGet, path, "", nil, http.Header{}); w.Code != http.StatusOK || w.Body.String() != key {
			t.Fatal(w.Code, w.Body)
		}
		if w := s.ask(http.MethodGet, "/uploads", "list-type=2&encoding-type=url", nil, http.Header{}); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "<Key>"+listing{encoding: "url"}.encode(key)+"</Key>") {
			t.Fatal(w.Code, w.Body)
		}
		if w := s.ask(http.MethodDelete, path, "", nil, http.Header{}); w.Code != http.StatusNoContent {
			t.Fatal(w.Code, w.Body)
		}
		if after := list(t, outside); after != before {
			t.Fatal(before, after)
		}
	})
}

func list(t testing.TB, dir string) string {
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(names)
}

// FuzzRange wants every range within the object.
func FuzzRange(f *testing.F) {
	for _, r := range []string{"bytes=0-", "bytes=-5", "bytes=1-2", "bytes=5-1", "bytes=0-99999999999999999999", "bytes=a-b", "bytes=1-2,3-4", "bytes=--1", ""} {
		f.Add(r, int64(10))
	}
	f.Add("bytes=-0", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		start, length, partial, err := parseRange(header, size)
		switch {
		case err != nil:
			if !errors.Is(err, errInvalidRange) {
				t.Fatal(err)
			}
		case start < 0 || length < 0 || start > size-length:
			t.Fatal(start, length)
		case !partial && (start != 0 || length != size):
			t.Fatal("the whole is not the whole")
		case partial && length == 0:
			t.Fatal("nothing is a range")
		}
	})
}

// FuzzBlob wants a damaged object file refused, never served.
func FuzzBlob(f *testing.F) {
	tail, err := appendTail([]byte("data"), &meta{Key: "key", Size: 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(tail)
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "blob")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		file, m, err := openBlob(path)
		if err != nil {
			return
		}
		defer func() { _ = file.Close() }()
		if m.Size < 0 || m.Size > int64(len(content)) {
			t.Fatal(m.Size)
		}
	})
}

// FuzzFrame wants a damaged record of the log refused.
func FuzzFrame(f *testing.F) {
	frame, err := encodeFrame(&record{Op: opPut, Bucket: "b", Key: "k"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Add(frame[:len(frame)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, n, err := decodeFrame(b); err == nil && (n < frameHeader || n > len(b)) {
			t.Fatal(n)
		}
	})
}
