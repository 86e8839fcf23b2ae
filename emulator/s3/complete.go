package s3

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
)

// minPartSize holds for every part but the last.
const minPartSize = 5 << 20

type completePart struct {
	PartNumber int
	ETag       string
	checksumXML
}

type completeRequest struct {
	XMLName xml.Name       `xml:"CompleteMultipartUpload"`
	Parts   []completePart `xml:"Part"`
}

// completeUpload makes one object of the parts.
func (q *request) completeUpload() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	u, err := q.findUpload()
	if err != nil {
		return err
	}
	wanted := q.checksumOfWhole(u)
	var in completeRequest
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok || len(in.Parts) > maxPartNum {
		return errMalformedXML
	} else if len(in.Parts) == 0 {
		return errInvalidRequest.saying("You must specify at least one part")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return errNoSuchUpload
	}
	parts, err := u.choose(in.Parts)
	if err != nil {
		return err
	}
	m := &meta{Key: u.Key, Headers: u.Headers, User: u.User, ETag: multipartETag(parts), Attributes: u.Attributes}
	if m.Checksum, err = u.checksum(parts); err != nil {
		return err
	}
	if bare, _, _ := strings.Cut(m.Checksum.Value, "-"); wanted != "" && wanted != m.Checksum.Value && wanted != bare {
		return errChecksumMismatch
	}
	c := change{
		check:  q.writeCondition(),
		events: q.eventsFor(b, notification.ObjectCreatedCompleteMultipartUpload),
		upload: u,
	}
	if err := q.assemble(b, u, parts, m, c); err != nil {
		return err
	}
	u.ended = true
	q.setVersion(m.Version)
	q.w.Header().Set("ETag", quote(m.ETag))
	m.Checksum.setHeaders(q.w.Header())
	q.setExpiration(b, m)
	sum := m.Checksum.xml()
	sum.ChecksumType = ""
	return q.writeXML(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
		Location string
		Bucket   string
		Key      string
		ETag     string
		checksumXML
	}{
		Location: q.origin() + (&url.URL{Path: "/" + u.Bucket + "/" + u.Key}).EscapedPath(),
		Bucket:   u.Bucket, Key: u.Key, ETag: quote(m.ETag), checksumXML: sum,
	})
}

// checksumOfWhole takes the checksum of the object to be out of the headers,
// where it would be mistaken for that of the XML body.
func (q *request) checksumOfWhole(u *upload) string {
	t, ok := checksumByName(u.Algorithm)
	if !ok {
		return ""
	}
	v := q.r.Header.Get(t.Key())
	q.r.Header.Del(t.Key())
	return v
}

// choose returns the parts that the client lists, once they are what it says.
func (u *upload) choose(in []completePart) ([]part, error) {
	for i := range len(in) - 1 {
		if in[i].PartNumber >= in[i+1].PartNumber {
			return nil, errInvalidPartOrder
		}
	}
	parts := make([]part, 0, len(in))
	for _, c := range in {
		p, ok := u.parts[c.PartNumber]
		if !ok || strings.Trim(c.ETag, `"`) != p.etag {
			return nil, errInvalidPart
		}
		if v := *c.field(p.checksum.Algorithm); v != "" && v != p.checksum.Value {
			return nil, errInvalidPart
		}
		parts = append(parts, p)
	}
	for _, p := range parts[:len(parts)-1] {
		if p.size < minPartSize {
			return nil, errEntityTooSmall
		}
	}
	return parts, nil
}

// multipartETag is the MD5 of the parts' MD5s and their number.
func multipartETag(parts []part) string {
	h := md5.New()
	for _, p := range parts {
		raw, _ := hex.DecodeString(p.etag)
		_, _ = h.Write(raw)
	}
	return fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
}

// checksum combines the parts' checksums as the upload's type wants it.
func (u *upload) checksum(parts []part) (checksum, error) {
	t, ok := checksumByName(u.Algorithm)
	if !ok {
		return checksum{}, nil
	}
	all := make([]minio.ObjectPart, len(parts))
	for i, p := range parts {
		x := p.checksum.xml()
		all[i] = minio.ObjectPart{
			PartNumber: p.number, Size: p.size, ChecksumCRC32: x.ChecksumCRC32, ChecksumCRC32C: x.ChecksumCRC32C,
			ChecksumSHA1: x.ChecksumSHA1, ChecksumSHA256: x.ChecksumSHA256, ChecksumCRC64NVME: x.ChecksumCRC64NVME,
		}
	}
	c := checksum{Algorithm: u.Algorithm, Type: u.ChecksumType}
	combine, suffix := t.FullObjectChecksum, ""
	if u.ChecksumType == composite {
		combine, suffix = t.CompositeChecksum, fmt.Sprintf("-%d", len(parts))
	}
	sum, err := combine(all)
	if err != nil {
		return c, fmt.Errorf("combine checksums: %w", err)
	}
	c.Value = sum.Encoded() + suffix
	return c, nil
}

// assemble makes one file of the parts and commits it.
func (q *request) assemble(b *bucket, u *upload, parts []part, m *meta, c change) error {
	if err := c.check(b.index.get(m.Key)); err != nil {
		return err
	}
	s := q.srv.st
	stage := s.stageCopies
	if u.whole(parts) {
		stage = s.stageWhole
	}
	st, err := stage(u, parts)
	if err != nil {
		return err
	}
	defer st.discard()
	for _, p := range parts {
		m.Parts = append(m.Parts, objectPart{Number: p.number, Size: p.size, Checksum: p.checksum.Value})
	}
	m.Modified = q.srv.now().UTC()
	if err := s.seal(b, st, m); err != nil {
		return err
	}
	return s.put(b, st, m, c)
}
