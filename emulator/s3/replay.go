package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// pendingEvents are events of an earlier run that nobody has accepted yet.
type pendingEvents struct {
	found
	acked map[ackKey]bool
}

// replay makes the folder show every change in the log, oldest segment first.
func (s *store) replay() (pending []pendingEvents, segs []*segment, err error) {
	names, err := os.ReadDir(s.logs)
	if err != nil {
		return nil, nil, fmt.Errorf("read log: %w", err)
	}
	var recs []found
	for _, d := range names { // sorted by name, which is by age
		path := filepath.Join(s.logs, d.Name())
		if filepath.Ext(path) == extAcks {
			continue
		}
		g, rs, err := openSegment(path, s.sync, s.log)
		if err != nil {
			return nil, segs, err
		}
		segs = append(segs, g)
		recs = append(recs, rs...)
	}
	lost, err := s.redo(recs)
	if err != nil {
		return nil, segs, err
	}
	byseg := map[*segment][]pendingEvents{}
	for i, r := range recs {
		if len(r.Events) > 0 && !lost[i] {
			byseg[r.seg] = append(byseg[r.seg], pendingEvents{found: r})
		}
	}
	settled := true // all so far
	for _, g := range segs {
		acked, err := readAcks(g.path)
		if err != nil {
			return nil, segs, err
		}
		for _, p := range byseg[g] {
			for i := range p.Events {
				if !acked[ackKey{p.off, i}] {
					g.pending++
				}
			}
			p.acked = acked
			pending = append(pending, p)
		}
		g.applied()
		if settled {
			g.settle()
			settled = g.isSettled()
		}
		close(g.done)
	}
	return pending, segs, s.removeStrayAcks(names, segs)
}

func (s *store) removeStrayAcks(names []os.DirEntry, segs []*segment) error {
	known := map[string]bool{}
	for _, g := range segs {
		known[fmt.Sprintf("%020d", g.number)] = true
	}
	for _, d := range names {
		base, isAcks := strings.CutSuffix(d.Name(), extAcks)
		if isAcks && !known[base] {
			if err := os.Remove(filepath.Join(s.logs, d.Name())); err != nil {
				return fmt.Errorf("remove acknowledgements: %w", err)
			}
		}
	}
	return nil
}

// redo applies the last change of every version and its attributes, which is
// idempotent. It returns the records whose object cannot be found: only a
// damaged disk has any.
func (s *store) redo(recs []found) (map[int]bool, error) {
	type name struct{ bucket, key, version string }
	last, lastAttributes := map[name]int{}, map[name]int{}
	for i, r := range recs {
		n := name{r.Bucket, r.Key, r.Version}
		if r.seg.settled {
			continue
		}
		if lastAttributes[n] = i; r.Op != opAttributes {
			last[n] = i
		}
	}
	lost := map[int]bool{}
	for i, r := range recs {
		s.sawSequence(r.Sequence)
		if r.seg.settled {
			continue
		}
		if r.Upload != "" {
			_ = os.RemoveAll(filepath.Join(s.uploadsDir, filepath.Base(r.Upload)))
			r.seg.touched[s.uploadsDir] = struct{}{}
		}
		b, ok := s.buckets[r.Bucket]
		n := name{r.Bucket, r.Key, r.Version}
		if !ok || r.Sequence < b.conf.Sequence || i != last[n] && i != lastAttributes[n] {
			continue
		}
		r.seg.touched[b.objects] = struct{}{}
		switch shown, err := s.redoOne(b, r); {
		case err != nil:
			return nil, fmt.Errorf("redo %s of %s in %s: %w", r.Op, r.Key, r.Bucket, err)
		case !shown:
			lost[i] = true
			s.log.Error("s3 object of the commit log not found", "bucket", r.Bucket, "key", r.Key)
		}
	}
	return lost, nil
}

// redoOne returns false when there is nothing to do it with. What it could not do
// for another reason, such as a full disk, must not be forgotten.
func (s *store) redoOne(b *bucket, r found) (bool, error) {
	path := b.objectPath(r.Key, r.Version)
	switch r.Op {
	case opDelete:
		if err := removeVersion(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
		return true, nil
	case opMark:
		r.seg.touched[path] = struct{}{}
		return true, redoFile(path, r.record, s.stageMarker)
	case opAttributes:
		path += sidecarSuffix
		r.seg.touched[path] = struct{}{}
		return true, redoFile(path, r.record, s.stageSidecar)
	}
	err := os.Rename(filepath.Join(s.tmp, filepath.Base(r.ID)), path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err == nil, err
	}
	f, m, err := openBlob(path)
	if errors.Is(err, errBadBlob) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return m.ID == r.ID, f.Close()
}

// redoFile shows again a file that the record describes whole.
func redoFile(path string, r *record, stage func(*record) (string, error)) error {
	tmp, err := stage(r)
	if err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
