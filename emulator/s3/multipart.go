package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	uploadFile = "upload.json"
	maxPartNum = 10000
)

// upload is a multipart upload under way: what upload.json holds, and its parts.
type upload struct {
	ID           string            `json:"id"`
	Bucket       string            `json:"bucket"`
	Key          string            `json:"key"`
	Initiated    time.Time         `json:"initiated"`
	Headers      map[string]string `json:"headers"`
	User         map[string]string `json:"user"`
	Algorithm    string            `json:"algorithm,omitempty"`
	ChecksumType string            `json:"checksumType,omitempty"`
	Attributes   attributes        `json:"attributes,omitzero"`

	dir   string
	mu    sync.Mutex // held while a part takes its place, and by what ends the upload
	parts map[int]part
	ended bool
	// stride is the size of the parts in the common file but the last, 0 before
	// there is one, -1 when none is added any more. claimed are being written.
	stride  int64
	claimed map[int]bool
}

type part struct {
	number   int
	etag     string
	size     int64
	modified time.Time
	checksum checksum
	common   bool  // its data is in the common file
	offset   int64 // where
}

// at says that the part is in the common file.
func (p part) at(offset int64) part {
	p.common, p.offset = true, offset
	return p
}

func partOf(number int, m *meta) part {
	return part{number: number, etag: m.ETag, size: m.Size, modified: m.Modified, checksum: m.Checksum}
}

func (u *upload) partPath(number int) string {
	return filepath.Join(u.dir, fmt.Sprintf("%05d", number))
}

func (s *store) uploadsOf(bucket string) []*upload {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var us []*upload
	for _, u := range s.uploads {
		if u.Bucket == bucket {
			us = append(us, u)
		}
	}
	return us
}

// forgetUpload removes an ended upload, all at once. What cannot be removed from
// tmp/ goes when the folder is opened again.
func (s *store) forgetUpload(u *upload) {
	s.mu.Lock()
	delete(s.uploads, u.ID)
	s.mu.Unlock()
	trash := filepath.Join(s.tmp, uuid.NewString())
	err := os.Rename(u.dir, trash)
	if err == nil {
		err = os.RemoveAll(trash)
	}
	if err != nil {
		s.log.Warn("s3 upload not removed", "upload", u.ID, "error", err)
	}
}

// createUpload starts a multipart upload.
func (q *request) createUpload() error {
	if err := q.refuseHeaders(); err != nil {
		return err
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	u := &upload{ID: uuid.NewString(), Bucket: b.name, Key: q.key, Initiated: q.srv.now().UTC(), parts: map[int]part{}, claimed: map[int]bool{}}
	if u.Headers, u.User, err = objectHeaders(q.r.Header); err != nil {
		return err
	}
	if u.Attributes, err = q.attributesOf(b, q.r.Header); err != nil {
		return err
	}
	if err := u.chooseChecksum(q.r.Header); err != nil {
		return err
	}
	s := q.srv.st
	u.dir = filepath.Join(s.uploadsDir, u.ID)
	if err := os.Mkdir(u.dir, 0o700); err != nil {
		return fmt.Errorf("create upload: %w", err)
	}
	if err := s.writeJSON(filepath.Join(u.dir, uploadFile), u); err != nil {
		return errors.Join(fmt.Errorf("create upload: %w", err), os.RemoveAll(u.dir))
	}
	if err := s.syncDir(s.uploadsDir); err != nil {
		return fmt.Errorf("create upload: %w", err)
	}
	s.mu.Lock()
	s.uploads[u.ID] = u
	s.mu.Unlock()
	if u.Algorithm != "" {
		q.w.Header().Set(headerChecksumAlgorithm, u.Algorithm)
		q.w.Header().Set(headerChecksumType, u.ChecksumType)
	}
	return q.writeXML(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
		Bucket   string
		Key      string
		UploadID string `xml:"UploadId"`
	}{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID})
}

func (u *upload) chooseChecksum(h http.Header) error {
	name := h.Get(headerChecksumAlgorithm)
	if name == "" {
		return nil
	}
	t, ok := checksumByName(name)
	if !ok {
		return errInvalidChecksum
	}
	u.Algorithm, u.ChecksumType = t.String(), composite
	if !t.CanComposite() {
		u.ChecksumType = fullObject
	}
	switch kind := h.Get(headerChecksumType); {
	case kind == "":
	case kind == fullObject && t.CanMergeCRC(), kind == composite && t.CanComposite():
		u.ChecksumType = kind
	default:
		return errInvalidRequest.saying("The %s checksum type cannot be used with the %s checksum algorithm.", kind, u.Algorithm)
	}
	return nil
}

// findUpload returns the upload that the request names.
func (q *request) findUpload() (*upload, error) {
	if _, err := q.bucketOf(); err != nil {
		return nil, err
	}
	s := q.srv.st
	s.mu.RLock()
	defer s.mu.RUnlock()
	u, ok := s.uploads[q.query.Get("uploadId")]
	if !ok || u.Bucket != q.bucket || u.Key != q.key {
		return nil, errNoSuchUpload
	}
	return u, nil
}

func (q *request) uploadPart() error {
	if err := q.refuseHeaders(); err != nil {
		return err
	}
	u, err := q.findUpload()
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxPartNum {
		return errPartNumber
	}
	if q.r.Header.Get("X-Amz-Copy-Source") != "" {
		return q.copyPart(u, number)
	}
	p, err := q.openBody()
	if err != nil {
		return err
	}
	if t, ok := checksumByName(u.Algorithm); ok {
		if p.algorithm.IsSet() && p.algorithm != t {
			return errInvalidRequest.saying("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s", u.Algorithm, p.algorithm)
		}
		p.algorithm, p.sum = t, t.Hasher()
	}
	m, err := q.storePart(u, number, p)
	if err != nil {
		return err
	}
	m.Checksum.Type = ""
	m.Checksum.setHeaders(q.w.Header())
	q.w.Header().Del(headerChecksumType)
	q.w.Header().Set("ETag", quote(m.ETag))
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// storePart makes a part durable. Of two with one number the later stays.
func (q *request) storePart(u *upload, number int, p *payload) (*meta, error) {
	if offset, ok := u.claim(number, p.size); ok {
		defer u.release(number)
		return q.storeCommon(u, number, offset, p)
	}
	s := q.srv.st
	st, err := s.stage()
	if err != nil {
		return nil, err
	}
	defer st.discard()
	if err := st.readFrom(p); err != nil {
		return nil, err
	}
	m := &meta{Key: u.Key, ETag: p.etag(), Checksum: p.checksum(), Modified: q.srv.now().UTC()}
	if err := st.seal(m); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return nil, errNoSuchUpload
	}
	if err := os.Rename(st.path, u.partPath(number)); err != nil {
		return nil, fmt.Errorf("store part: %w", err)
	}
	st.done = true
	if err := s.syncDir(u.dir); err != nil {
		return nil, fmt.Errorf("store part: %w", err)
	}
	u.parts[number] = partOf(number, m)
	return m, nil
}

func (q *request) abortUpload() error {
	u, err := q.findUpload()
	if err != nil {
		return err
	}
	if err := q.srv.st.abort(u); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// abort ends an upload without an object.
func (s *store) abort(u *upload) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return errNoSuchUpload
	}
	u.ended = true
	s.forgetUpload(u)
	if err := s.syncDir(s.uploadsDir); err != nil {
		return fmt.Errorf("abort upload: %w", err)
	}
	return nil
}
