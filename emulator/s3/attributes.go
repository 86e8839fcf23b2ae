package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
)

// attributes are what may change of a version after it was written.
type attributes struct {
	// Tags are URL-encoded, "" when there are none.
	Tags      string    `json:"tags,omitempty"`
	Retention retention `json:"retention,omitzero"`
	LegalHold string    `json:"legalHold,omitempty"` // ON, OFF, or "" when nobody said
}

// orNil returns nil for no attributes at all.
func (a attributes) orNil() *attributes {
	if a == (attributes{}) {
		return nil
	}
	return &a
}

// get returns the attributes, none for nil.
func (a *attributes) get() attributes {
	if a == nil {
		return attributes{}
	}
	return *a
}

// sidecarSuffix follows the name of a version's file in that of its sidecar.
const sidecarSuffix = ".attributes"

// sidecar holds the attributes of a version once they have changed. It is of
// the version with this sequence only, not of one that took its place.
type sidecar struct {
	Sequence   int64      `json:"sequence"`
	Attributes attributes `json:"attributes"`
}

// changeAttributes commits an edit of the attributes of a version, "" for the
// current one.
func (s *store) changeAttributes(b *bucket, key, version string, edit func(a *attributes) error, events func(m *meta) ([]event, error)) (entry, error) {
	unlock := s.lockKeys(b.name, key)
	defer unlock()
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.gone {
		return entry{}, errNoSuchBucket
	}
	e, err := b.find(key, version)
	if err != nil {
		return e, err
	}
	a := e.attributes.get()
	if err := edit(&a); err != nil {
		return e, err
	}
	f, m, err := openBlob(b.objectPath(key, e.version))
	if err != nil {
		return e, err
	}
	_ = f.Close()
	m.Attributes, m.Modified = a, time.Time{} // the event is of now
	ev, err := events(m)
	if err != nil {
		return e, err
	}
	rec := &record{Op: opAttributes, Bucket: b.name, Key: key, Version: e.version, Sequence: e.sequence, Attributes: &a, Events: ev}
	tmp, err := s.stageSidecar(rec)
	defer func() { _ = os.Remove(tmp) }() // it has another name when all went well
	if err != nil {
		return e, err
	}
	places, err := s.j.append(rec)
	if err != nil {
		return e, err
	}
	path := b.objectPath(key, e.version) + sidecarSuffix
	if err := os.Rename(tmp, path); err != nil {
		return e, s.j.fail(fmt.Errorf("show attributes: %w", err))
	}
	e.attributes = &a
	b.index.set(e)
	places[0].seg.applied(b.objects, path)
	s.enqueue(rec, places[0])
	return e, nil
}

// stageSidecar writes the attributes of a record to tmp/. They need not be
// durable: the log keeps them until they are.
func (s *store) stageSidecar(r *record) (tmp string, err error) {
	js, err := json.Marshal(sidecar{Sequence: r.Sequence, Attributes: r.Attributes.get()})
	if err != nil {
		return "", fmt.Errorf("encode attributes: %w", err)
	}
	return s.stageFile(js)
}

// readSidecar returns the attributes that a version has by now, nil when they
// never changed.
func readSidecar(path string, sequence int64) (*attributes, error) {
	js, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	var sc sidecar
	if err := json.Unmarshal(js, &sc); err != nil {
		return nil, fmt.Errorf("read attributes: %w", err)
	}
	if sc.Sequence != sequence {
		return nil, nil
	}
	return &sc.Attributes, nil
}

// removeVersion removes the files of a version.
func removeVersion(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	if err := os.Remove(path + sidecarSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// attributesOf reads those that a new version of b gets.
func (q *request) attributesOf(b *bucket, h http.Header) (a attributes, err error) {
	if a.Tags, err = parseTags(h.Get(headerTagging)); err != nil {
		return a, err
	}
	a.Retention, a.LegalHold, err = q.lockOf(b, h)
	return a, err
}

// changeAttributes edits those of the version that the URL names.
func (q *request) changeAttributes(kind notification.EventType, edit func(a *attributes) error) (entry, error) {
	b, err := q.bucketOf()
	if err != nil {
		return entry{}, err
	}
	version, err := q.versionID()
	if err != nil {
		return entry{}, err
	}
	return q.srv.st.changeAttributes(b, q.key, version, edit, q.eventsFor(b, kind))
}
