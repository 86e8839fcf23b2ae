package s3

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7/pkg/notification"
)

// removal asks for one version of a key to go for good, or, with version "",
// for the key to be seen no more.
type removal struct {
	key     string
	version string // "null" or an id
}

// removed is what became of a removal.
type removed struct {
	found   bool
	version string // id of what went, or of the delete marker that was made; "" for the null version
	marker  bool   // it is a delete marker
	still   bool   // a delete marker had been made before
	err     error
}

// removing is how removals are done.
type removing struct {
	now time.Time
	// check refuses a removal, given the version that it is about, if any.
	check func(w removal, cur entry, exists bool) error
	// events are what a removal causes.
	events func(name notification.EventType, m *meta) ([]event, error)
	// many is how MinIO removes many: a delete marker is made also on top of
	// another, and is said to have been made where there is nothing to hide.
	many bool
}

// remove commits removals with one sync. What is not there is no error and
// causes no event; a removal that is refused does not keep the others back.
func (s *store) remove(b *bucket, what []removal, how removing) ([]removed, error) {
	keys := make([]string, len(what))
	for i, w := range what {
		keys[i] = w.key
	}
	unlock := s.lockKeys(b.name, keys...)
	defer unlock()
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.gone {
		return nil, errNoSuchBucket
	}
	out := make([]removed, len(what))
	var recs []*record
	first := make(map[removal]int, len(what))
	for i, w := range what {
		same := w
		if b.config().Versioning == "" {
			same.version = nullVersion // which is all that there is
		}
		if j, again := first[same]; again {
			out[i] = out[j]
			continue
		}
		first[same] = i
		rec, done, err := s.removal(b, w, how)
		if done.err = err; err == nil && rec != nil {
			recs = append(recs, rec)
		}
		out[i] = done
	}
	return out, s.commitRemovals(b, recs)
}

// removal decides what a removal comes to: a record unless it changes nothing.
func (s *store) removal(b *bucket, w removal, how removing) (*record, removed, error) {
	var cur entry
	var exists bool
	versioning := b.config().Versioning
	if w.version != "" || versioning == "" {
		cur, exists = b.index.version(w.key, versionOf(w.version))
	} else {
		cur, exists = b.index.get(w.key)
	}
	if err := how.check(w, cur, exists); err != nil {
		return nil, removed{}, err
	}
	if w.version != "" || versioning == "" {
		if !exists {
			return nil, removed{}, nil
		}
		kind := notification.ObjectRemovedDelete
		if cur.marker && cur.version != "" { // MinIO's name for it
			kind = notification.ObjectRemovedDeleteMarkerCreated
		}
		told := cur.version
		if versioning != "" {
			told = versionID(told)
		}
		ev, err := how.events(kind, &meta{Key: w.key, Version: told})
		rec := &record{Op: opDelete, Bucket: b.name, Key: w.key, Version: cur.version, Sequence: cur.sequence, Events: ev}
		return rec, removed{found: true, version: cur.version, marker: cur.marker}, err
	}
	switch {
	case cur.marker && !how.many:
		return nil, removed{found: true, version: cur.version, marker: true, still: true}, nil
	case !exists && !cur.marker && how.many:
		return nil, removed{version: b.newVersion(), marker: true}, nil
	case !exists && !cur.marker:
		return nil, removed{}, nil
	}
	version := b.newVersion()
	ev, err := how.events(notification.ObjectRemovedDeleteMarkerCreated, &meta{Key: w.key, Version: versionID(version), Marker: true})
	rec := &record{
		Op: opMark, Bucket: b.name, Key: w.key, Version: version, Sequence: s.nextSequence(), Modified: how.now, Events: ev,
	}
	return rec, removed{found: true, version: version, marker: true}, err
}

func (s *store) commitRemovals(b *bucket, recs []*record) error {
	if len(recs) == 0 {
		return nil
	}
	staged, err := s.stageMarkers(recs)
	defer func() {
		for _, tmp := range staged {
			_ = os.Remove(tmp) // it has another name when all went well
		}
	}()
	if err != nil {
		return err
	}
	places, err := s.j.append(recs...)
	if err != nil {
		return err
	}
	for i, r := range recs {
		touched := []string{b.objects}
		if r.Op == opMark {
			path := b.objectPath(r.Key, r.Version)
			if err := os.Rename(staged[i], path); err != nil {
				return s.j.fail(fmt.Errorf("show delete marker: %w", err))
			}
			s.show(b, r.marker())
			touched = append(touched, path)
		} else {
			if err := removeVersion(b.objectPath(r.Key, r.Version)); err != nil {
				return s.j.fail(fmt.Errorf("remove object: %w", err))
			}
			b.index.remove(r.Key, r.Version)
		}
		places[i].seg.applied(touched...)
		s.enqueue(r, places[i])
	}
	return nil
}

// stageMarkers writes the delete markers among the records to tmp/, by the
// record's place: a full disk is met before anything is committed.
func (s *store) stageMarkers(recs []*record) (map[int]string, error) {
	staged := map[int]string{}
	for i, r := range recs {
		if r.Op != opMark {
			continue
		}
		tmp, err := s.stageMarker(r)
		staged[i] = tmp
		if err != nil {
			return staged, err
		}
	}
	return staged, nil
}

// stageMarker writes a delete marker to tmp/. It need not be durable: the log
// keeps it until it is.
func (s *store) stageMarker(r *record) (tmp string, err error) {
	tail, err := appendTail(nil, r.marker())
	if err != nil {
		return "", err
	}
	return s.stageFile(tail)
}

// marker is the delete marker that the record describes.
func (r *record) marker() *meta {
	return &meta{Key: r.Key, Version: r.Version, Sequence: r.Sequence, Modified: r.Modified, Marker: true}
}

// stageFile writes a file to tmp/, without a sync. Its path is returned also when
// it is not whole.
func (s *store) stageFile(content []byte) (path string, err error) {
	path = filepath.Join(s.tmp, uuid.NewString())
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return path, fmt.Errorf("stage file: %w", err)
	}
	return path, nil
}
