package s3

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

// raw sends the head of a signed request and then the given bytes, no more even
// where the head says that there are, and reads the answer.
func (e *endpoint) raw(t *testing.T, req *http.Request, body string) reply {
	t.Helper()
	conn, err := net.DialTimeout("tcp", req.URL.Host, 10*time.Second)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	var head bytes.Buffer
	path := strings.TrimPrefix(req.URL.Opaque, "//"+req.URL.Host)
	if req.URL.RawQuery != "" {
		path += "?" + req.URL.RawQuery
	}
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.Method, path, req.URL.Host, req.ContentLength)
	require.NoError(t, req.Header.Write(&head))
	head.WriteString("\r\n")
	_, _ = conn.Write(append(head.Bytes(), body...)) // it may be refused half-way
	if int64(len(body)) < req.ContentLength {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// TestBodiesThatLie has requests whose body is not what their head says: each is
// refused and nothing of it stays.
func TestBodiesThatLie(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	id, err := e.core.NewMultipartUpload(t.Context(), b, "parts", minio.PutObjectOptions{})
	require.NoError(t, err)
	const crc = "x-amz-checksum-crc32:rfPzYw==\r\n" // of "data"
	cases := map[string]struct {
		decoded string // of an aws-chunked body, "" of a plain one
		body    string
		length  int // 0: that of the body
		code    string
	}{
		"intact":                     {"4", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, ""},
		"plain body stops":           {"", "data", 1000, "IncompleteBody"},
		"body stops in a chunk":      {"4", "4\r\nda", 40, "IncompleteBody"},
		"body stops between chunks":  {"8", "4\r\ndata\r\n", 60, "IncompleteBody"},
		"body stops in the trailer":  {"4", "4\r\ndata\r\n0\r\nx-amz-ch", 60, "IncompleteBody"},
		"no last chunk":              {"4", "4\r\ndata\r\n", 0, "IncompleteBody"},
		"chunk is shorter":           {"4", "9\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "ExcessData"},
		"chunk is longer":            {"4", "3\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "BadRequest"},
		"less than was said":         {"5", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "IncompleteBody"},
		"more than was said":         {"3", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "ExcessData"},
		"length is no number":        {"x", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "MissingContentLength"},
		"length is negative":         {"-4", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "MissingContentLength"},
		"length is too large":        {"99999999999999", "4\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "EntityTooLarge"},
		"chunk size is no number":    {"4", "4x\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "BadRequest"},
		"chunk size is huge":         {"4", "ffffffffffffffff\r\ndata\r\n0\r\n" + crc + "\r\n", 0, "BadRequest"},
		"chunk size without end":     {"4", strings.Repeat("0", 9000), 0, "BadRequest"},
		"checksum is another":        {"4", "4\r\ndatA\r\n0\r\n" + crc + "\r\n", 0, "XAmzContentChecksumMismatch"},
		"checksum is missing":        {"4", "4\r\ndata\r\n0\r\n\r\n", 0, "BadRequest"},
		"trailer of another name":    {"4", "4\r\ndata\r\n0\r\nx-amz-checksum-crc32c:rfPzYw==\r\n\r\n", 0, "BadRequest"},
		"trailer without end":        {"4", "4\r\ndata\r\n0\r\n" + strings.Repeat("a", 30_000), 0, "BadRequest"},
		"something after the end":    {"4", "4\r\ndata\r\n0\r\n" + crc + "\r\nmore", 0, "BadRequest"},
		"checksum that is no base64": {"4", "4\r\ndata\r\n0\r\nx-amz-checksum-crc32:----\r\n\r\n", 0, "XAmzContentChecksumMismatch"},
	}
	t.Run("all", func(t *testing.T) {
		for name, c := range cases {
			for _, kind := range []string{"object", "part"} {
				t.Run(kind+"/"+name, func(t *testing.T) {
					t.Parallel()
					path := "/" + b + "/" + strings.ReplaceAll(name, " ", "-")
					if kind == "part" {
						path = "/" + b + "/parts?partNumber=1&uploadId=" + id
					}
					req := e.request(t, http.MethodPut, path, nil)
					hash := unsignedPayload
					if c.decoded != "" {
						hash = streamingUnsignedTrailer
						req.Header.Set("X-Amz-Decoded-Content-Length", c.decoded)
						req.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
						req.Header.Set("Content-Encoding", "aws-chunked")
					}
					e.sign(t, req, hash)
					req.ContentLength = int64(max(c.length, len(c.body)))
					r := e.raw(t, req, c.body)
					if c.code == "" {
						require.Equal(t, http.StatusOK, r.status, r.body)
						return
					}
					require.Equal(t, c.code, r.code(t), r.body)
					if kind == "object" {
						require.Equal(t, http.StatusNotFound, e.signed(t, http.MethodHead, path, nil).status)
					}
				})
			}
		}
	})
	list, err := e.core.ListObjectParts(t.Context(), b, "parts", id, 0, 10)
	require.NoError(t, err)
	require.Len(t, list.ObjectParts, 1, "the intact one")
	require.EqualValues(t, 4, list.ObjectParts[0].Size)
	require.Empty(t, tmpFiles(t, e))
}

// TestXMLBodiesThatLie has every kind of XML body in shapes that no client sends.
func TestXMLBodiesThatLie(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	id, err := e.core.NewMultipartUpload(t.Context(), b, "parts", minio.PutObjectOptions{})
	require.NoError(t, err)
	p, err := e.core.PutObjectPart(t.Context(), b, "parts", id, 1, strings.NewReader("data"), 4, minio.PutObjectPartOptions{})
	require.NoError(t, err)
	part := func(n int) string {
		return "<Part><PartNumber>" + strconv.Itoa(n) + "</PartNumber><ETag>" + p.ETag + "</ETag></Part>"
	}
	parts := func(n int) string {
		var s strings.Builder
		for i := range n {
			s.WriteString(part(i + 1))
		}
		return "<CompleteMultipartUpload>" + s.String() + "</CompleteMultipartUpload>"
	}
	complete := "/" + b + "/parts?uploadId=" + id
	for name, c := range map[string]struct {
		method, path, body, code string
	}{
		"no parts":            {"POST", complete, "<CompleteMultipartUpload/>", "InvalidRequest"},
		"10,001 parts":        {"POST", complete, parts(10_001), "MalformedXML"},
		"10,000 absent parts": {"POST", complete, parts(10_000), "InvalidPart"},
		"parts out of order":  {"POST", complete, "<CompleteMultipartUpload>" + part(2) + part(1) + "</CompleteMultipartUpload>", "InvalidPartOrder"},
		"a part twice":        {"POST", complete, "<CompleteMultipartUpload>" + part(1) + part(1) + "</CompleteMultipartUpload>", "InvalidPartOrder"},
		"part 0":              {"POST", complete, "<CompleteMultipartUpload>" + part(0) + "</CompleteMultipartUpload>", "InvalidPart"},
		"part of no number":   {"POST", complete, "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber></Part></CompleteMultipartUpload>", "MalformedXML"},
		"1,001 keys":          {"POST", "/" + b + "?delete", "<Delete>" + strings.Repeat("<Object><Key>a</Key></Object>", 1001) + "</Delete>", "MalformedXML"},
		"no keys":             {"POST", "/" + b + "?delete", "<Delete></Delete>", "MalformedXML"},
		"another document":    {"POST", "/" + b + "?delete", "<Remove><Object><Key>a</Key></Object></Remove>", "MalformedXML"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := e.signed(t, c.method, c.path, []byte(c.body), "Content-Md5", contentMD5(c.body))
			require.Equal(t, c.code, r.code(t), r.body)
		})
	}
	for _, target := range []struct{ method, path, root string }{
		{"POST", complete, "CompleteMultipartUpload"},
		{"POST", "/" + b + "?delete", "Delete"},
		{"PUT", "/" + b + "?cors", "CORSConfiguration"},
		{"PUT", "/" + b + "?notification", "NotificationConfiguration"},
		{"PUT", "/another-bucket", "CreateBucketConfiguration"},
	} {
		for name, body := range map[string]string{
			"deep":     "<" + target.root + ">" + strings.Repeat("<a>", 200_000),
			"cut":      "<" + target.root + "><",
			"no XML":   "{}",
			"entities": `<!DOCTYPE a [<!ENTITY b "b">]><` + target.root + `>&b;</` + target.root + `>`,
			"nul":      "<" + target.root + ">\x00</" + target.root + ">",
		} {
			t.Run(target.root+"/"+name, func(t *testing.T) {
				t.Parallel()
				r := e.signed(t, target.method, target.path, []byte(body), "Content-Md5", contentMD5(body))
				require.Equal(t, "MalformedXML", r.code(t), r.body)
			})
		}
		t.Run(target.root+"/deep, closed", func(t *testing.T) {
			t.Parallel()
			body := "<" + target.root + ">" + strings.Repeat("<a>", 50_000) + strings.Repeat("</a>", 50_000) + "</" + target.root + ">"
			r := e.signed(t, target.method, target.path, []byte(body), "Content-Md5", contentMD5(body))
			require.Less(t, r.status, 500, "what nobody knows is ignored")
		})
		t.Run(target.root+"/stops", func(t *testing.T) {
			t.Parallel()
			req := e.sign(t, e.request(t, target.method, target.path, nil, "Content-Md5", contentMD5("")), unsignedPayload)
			req.ContentLength = 1000
			r := e.raw(t, req, "<"+target.root+">")
			require.Equal(t, "IncompleteBody", r.code(t), r.body)
		})
	}
}

func contentMD5(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestSlowReader has a client that does not read what it asked for: it loses
// the connection, and the object stays as it is.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{SendTimeout: 2 * time.Second})
	const size = 32 << 20 // more than the sockets take
	e.put(t, b, "key", string(make([]byte, size)))
	var closed atomic.Bool
	hs := httptest.NewUnstartedServer(e.Server)
	hs.Config.ConnState = func(_ net.Conn, s http.ConnState) { closed.Store(s == http.StateClosed) }
	hs.Start()
	defer hs.Close()
	host := strings.TrimPrefix(hs.URL, "http://")
	conn, err := net.Dial("tcp", host)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	req := e.request(t, http.MethodGet, "/"+b+"/key", nil)
	req.URL.Host, req.URL.Opaque = host, "//"+host+"/"+b+"/key"
	e.sign(t, req, unsignedPayload)
	fmt.Fprintf(conn, "GET /%s/key HTTP/1.1\r\nHost: %s\r\n", b, host)
	require.NoError(t, req.Header.Write(conn))
	_, err = conn.Write([]byte("\r\n"))
	require.NoError(t, err)
	eventually(t, closed.Load, "the connection is closed")
	n, _ := io.Copy(io.Discard, conn)
	require.Less(t, n, int64(size))
	require.Len(t, e.read(t, b, "key"), size)
}
