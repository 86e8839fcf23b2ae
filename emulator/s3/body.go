package s3

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	maxObjectSize  = 5 << 40
	maxXMLBody     = 1 << 20
	progressWindow = 16 << 10
	hashTogether   = 32 << 10
	drainTimeout   = time.Second
)

// payload is the content of a request, decoded and checked while it is read:
// whoever reads it to EOF has what the client signed and announced.
type payload struct {
	src  io.Reader
	size int64 // -1 when it is not announced
	n    int64

	md5       hash.Hash
	wantMD5   []byte
	sha       hash.Hash // nil when no hash was signed
	wantSHA   string
	algorithm minio.ChecksumType
	sum       hash.Hash // nil without an algorithm
	wantSum   string    // "" when it comes in a trailer, or not at all
	chunked   *chunkedReader
	announced bool // a trailer must bring the checksum
}

func newPayload(src io.Reader, size int64, algorithm minio.ChecksumType) *payload {
	p := &payload{src: src, size: size, md5: md5.New(), algorithm: algorithm}
	if algorithm.IsSet() {
		p.sum = algorithm.Hasher()
	}
	return p
}

// openBody prepares the request's body for reading. It reads nothing yet.
func (q *request) openBody() (*payload, error) {
	algorithm, want, err := wantedChecksum(q.r.Header)
	if err != nil {
		return nil, err
	}
	p := newPayload(q.progressReader(), q.r.ContentLength, algorithm)
	p.wantSum = want
	switch hash := q.auth.payloadHash; hash {
	case unsignedPayload:
	case streamingSigned, streamingSignedTrailer, streamingUnsignedTrailer:
		if err := q.chunkedBody(p, hash); err != nil {
			return nil, err
		}
	default:
		p.sha, p.wantSHA = sha256.New(), hash
	}
	switch {
	case p.size < 0:
		return nil, errMissingContentLength
	case p.size > maxObjectSize:
		return nil, errEntityTooLarge
	}
	if md := q.r.Header.Get("Content-Md5"); md != "" {
		raw, err := base64.StdEncoding.DecodeString(md)
		if err != nil || len(raw) != md5.Size {
			return nil, errInvalidDigest
		}
		p.wantMD5 = raw
	}
	q.body = p
	return p, nil
}

// validPayloadHash tells whether x-amz-content-sha256 can be what it is.
func validPayloadHash(hash string) bool {
	switch hash {
	case unsignedPayload, streamingSigned, streamingSignedTrailer, streamingUnsignedTrailer:
		return true
	}
	raw, err := hex.DecodeString(hash)
	return err == nil && len(raw) == sha256.Size
}

func (q *request) chunkedBody(p *payload, kind string) error {
	size, err := strconv.ParseInt(q.r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return errMissingContentLength
	}
	var signer *chunkSigner
	if kind != streamingUnsignedTrailer {
		signer = &chunkSigner{key: q.auth.signingKey, date: q.auth.date, scope: q.auth.scope, prev: q.auth.signature}
	}
	p.size = size
	p.chunked = newChunkedReader(p.src, signer, kind != streamingSigned)
	p.src = p.chunked
	p.announced = kind != streamingSigned && q.r.Header.Get(headerTrailer) != ""
	return nil
}

// Read returns io.EOF only when everything announced has been verified.
func (p *payload) Read(b []byte) (int, error) {
	n, err := p.receive(b)
	p.hash(b[:n])
	if errors.Is(err, io.EOF) {
		if verr := p.verify(); verr != nil {
			return n, verr
		}
	}
	return n, err
}

// receive reads without hashing: that is left to the caller, in this order, and
// so is verify at the end.
func (p *payload) receive(b []byte) (int, error) {
	n, err := p.src.Read(b)
	p.n += int64(n)
	if p.size >= 0 && p.n > p.size {
		return 0, errExcessData
	}
	return n, err
}

// hash adds to every hash: to the slowest, MD5, beside the others where it pays.
func (p *payload) hash(b []byte) {
	var wg sync.WaitGroup
	if p.sha != nil && len(b) >= hashTogether {
		wg.Go(func() { _, _ = p.md5.Write(b) })
	} else {
		_, _ = p.md5.Write(b)
	}
	if p.sha != nil {
		_, _ = p.sha.Write(b)
	}
	if p.sum != nil {
		_, _ = p.sum.Write(b)
	}
	wg.Wait()
}

func (p *payload) verify() error {
	if p.size >= 0 && p.n != p.size {
		return errIncompleteBody
	}
	if p.sha != nil && hex.EncodeToString(p.sha.Sum(nil)) != p.wantSHA {
		return errSHA256Mismatch
	}
	if p.wantMD5 != nil && !bytes.Equal(p.md5.Sum(nil), p.wantMD5) {
		return errBadDigest
	}
	want := p.wantSum
	if p.announced {
		trailer, ok := p.chunked.trailers[p.algorithm.Key()]
		if !ok || want != "" && want != trailer {
			return errMalformedChunk
		}
		want = trailer
	}
	if want != "" && want != p.checksum().Value {
		return errChecksumMismatch
	}
	return nil
}

func (p *payload) etag() string { return hex.EncodeToString(p.md5.Sum(nil)) }

func (p *payload) checksum() checksum {
	if p.sum == nil {
		return checksum{}
	}
	return checksum{
		Algorithm: p.algorithm.String(), Type: fullObject,
		Value: base64.StdEncoding.EncodeToString(p.sum.Sum(nil)),
	}
}

// progressReader reads the raw body and gives up on a client that stalls.
func (q *request) progressReader() io.Reader {
	return &progressReader{r: q.r.Body, rc: http.NewResponseController(q.w), timeout: q.srv.opts.BodyTimeout}
}

type progressReader struct {
	r       io.Reader
	rc      *http.ResponseController
	timeout time.Duration
	budget  int
}

func (p *progressReader) Read(b []byte) (int, error) {
	if p.budget <= 0 {
		// A writer that has no deadlines, as in tests, is not timed.
		_ = p.rc.SetReadDeadline(time.Now().Add(p.timeout))
		p.budget = progressWindow
	}
	n, err := p.r.Read(b)
	p.budget -= n
	if err != nil {
		p.budget = 0
		if errors.Is(err, io.EOF) {
			_ = p.rc.SetReadDeadline(time.Time{})
		}
	}
	return n, err
}

// endBody bounds what net/http does with a body that nobody read to its end:
// it drains some of it before the connection is used again or closed.
func (q *request) endBody() {
	if q.r.ContentLength == 0 || q.body != nil && q.body.n == q.body.size {
		return
	}
	_ = http.NewResponseController(q.w).SetReadDeadline(time.Now().Add(drainTimeout))
}

// needDigest refuses a request that comes without a digest of its body, for the
// operations that do harm when it was damaged.
func (q *request) needDigest() error {
	algorithm, _, err := wantedChecksum(q.r.Header)
	if err == nil && q.r.Header.Get("Content-Md5") == "" && !algorithm.IsSet() {
		err = errMissingContentMD5
	}
	return err
}

// readXML decodes a small XML body into v, or returns false when it is empty.
func (q *request) readXML(v any) (bool, error) {
	p, err := q.openBody()
	if err != nil {
		return false, err
	}
	if p.size > maxXMLBody {
		return false, errEntityTooLarge
	}
	b, err := io.ReadAll(p)
	if err != nil {
		return false, err
	}
	if len(b) == 0 {
		return false, nil
	}
	if err := xml.Unmarshal(b, v); err != nil {
		return false, errMalformedXML.because(err)
	}
	return true, nil
}

// writeXML answers 200 with an XML document.
func (q *request) writeXML(v any) error {
	b, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	b = append([]byte(xml.Header), b...)
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(b) // a client that has gone cannot be told
	return nil
}
