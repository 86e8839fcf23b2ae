package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// ErrInUse says that another Server, here or in another process, has the folder.
var ErrInUse = errors.New("folder is in use by another s3 server")

const bucketFile = "bucket.json"

// openStore locks the folder and brings it to the state that the log describes.
// The returned events are in commit order.
func openStore(dir string, sync bool, log *slog.Logger) (*store, []pendingEvents, error) {
	s := &store{
		dir: dir, sync: sync, log: log, seed: maphash.MakeSeed(),
		tmp: filepath.Join(dir, "tmp"), logs: filepath.Join(dir, "log"),
		bucketsDir: filepath.Join(dir, "buckets"), uploadsDir: filepath.Join(dir, "uploads"),
		buckets: map[string]*bucket{}, uploads: map[string]*upload{},
	}
	s.bufs.New = func() any {
		b := make([]byte, 0, copyBufSize)
		return &b
	}
	for _, d := range []string{dir, s.tmp, s.logs, s.bucketsDir, s.uploadsDir} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, nil, fmt.Errorf("create folder: %w", err)
		}
	}
	lock, err := lockDir(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, nil, err
	}
	s.lock = lock
	pending, segs, err := s.recover()
	if err != nil {
		if s.tmpf != nil {
			_ = s.tmpf.Close()
		}
		for _, g := range segs {
			g.closeFiles()
		}
		return nil, nil, errors.Join(err, unlockDir(lock))
	}
	return s, pending, nil
}

// recover returns the segments it opened also when it fails.
func (s *store) recover() ([]pendingEvents, []*segment, error) {
	if err := s.syncDir(s.dir); err != nil {
		return nil, nil, fmt.Errorf("sync folder: %w", err)
	}
	if err := s.loadBuckets(); err != nil {
		return nil, nil, err
	}
	pending, segs, err := s.replay()
	if err != nil {
		return nil, segs, err
	}
	if err := emptyDir(s.tmp); err != nil {
		return nil, segs, fmt.Errorf("empty tmp: %w", err)
	}
	if err := s.loadObjects(); err != nil {
		return nil, segs, err
	}
	if err := s.loadUploads(); err != nil {
		return nil, segs, err
	}
	if s.tmpf, err = os.Open(s.tmp); err != nil {
		return nil, segs, fmt.Errorf("open tmp: %w", err)
	}
	next := uint64(1)
	if n := len(segs); n > 0 {
		next = segs[n-1].number + 1
	}
	s.j, err = newJournal(s.logs, s.tmpf, s.sync, next, segs, s.log)
	return pending, segs, err
}

// deploymentID is made once per folder.
func (s *store) deploymentID() (string, error) {
	path := filepath.Join(s.dir, "deployment")
	var id string
	b, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(b, &id) == nil {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read deployment id: %w", err)
	}
	id = uuid.NewString()
	if err := s.writeJSON(path, id); err != nil {
		return "", fmt.Errorf("write deployment id: %w", err)
	}
	return id, nil
}

func (s *store) loadBuckets() error {
	dirs, err := os.ReadDir(s.bucketsDir)
	if err != nil {
		return fmt.Errorf("read buckets: %w", err)
	}
	for _, d := range dirs {
		b := newBucket(s.bucketsDir, d.Name())
		js, err := os.ReadFile(filepath.Join(b.dir, bucketFile))
		if err != nil {
			return fmt.Errorf("read bucket %s: %w", b.name, err)
		}
		if err := json.Unmarshal(js, &b.conf); err != nil {
			return fmt.Errorf("read bucket %s: %w", b.name, err)
		}
		s.sawSequence(b.conf.Sequence)
		s.buckets[b.name] = b
	}
	return nil
}

// loadObjects builds the indexes from the objects' own metadata.
func (s *store) loadObjects() error {
	type job struct {
		b       *bucket
		name    string
		changed bool // it has a sidecar
	}
	jobs := make(chan job, 256)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for j := range jobs {
				e, err := loadObject(filepath.Join(j.b.objects, j.name), j.changed)
				if err != nil {
					s.log.Error("s3 object unreadable", "bucket", j.b.name, "file", j.name, "error", err)
					continue
				}
				s.sawSequence(e.sequence)
				j.b.index.set(e)
			}
		})
	}
	var firstErr error
	for _, b := range s.buckets {
		names, err := readNames(b.objects)
		if err != nil {
			firstErr = fmt.Errorf("read objects of %s: %w", b.name, err)
			break
		}
		sidecars := map[string]bool{}
		for _, n := range names {
			if version, ok := strings.CutSuffix(n, sidecarSuffix); ok {
				sidecars[version] = true
			}
		}
		for _, n := range names {
			if !strings.HasSuffix(n, sidecarSuffix) {
				jobs <- job{b, n, sidecars[n]}
			}
		}
	}
	close(jobs)
	wg.Wait()
	return firstErr
}

func loadObject(path string, changed bool) (entry, error) {
	f, m, err := openBlob(path)
	if err != nil {
		return entry{}, err
	}
	_ = f.Close()
	e := entryOf(m)
	if changed {
		a, err := readSidecar(path+sidecarSuffix, m.Sequence)
		if err != nil {
			return entry{}, err
		}
		if a != nil {
			e.attributes = a
		}
	}
	return e, nil
}

func (s *store) loadUploads() error {
	names, err := readNames(s.uploadsDir)
	if err != nil {
		return fmt.Errorf("read uploads: %w", err)
	}
	for _, id := range names {
		u, err := s.loadUpload(id)
		if errors.Is(err, fs.ErrNotExist) { // its creation was cut short
			if err := os.RemoveAll(filepath.Join(s.uploadsDir, id)); err != nil {
				return fmt.Errorf("remove upload: %w", err)
			}
			continue
		}
		if err != nil {
			s.log.Error("s3 upload unreadable", "upload", id, "error", err)
			continue
		}
		if s.buckets[u.Bucket] == nil {
			if err := os.RemoveAll(u.dir); err != nil {
				return fmt.Errorf("remove upload: %w", err)
			}
			continue
		}
		s.uploads[id] = u
	}
	return nil
}

func (s *store) loadUpload(id string) (*upload, error) {
	u := &upload{dir: filepath.Join(s.uploadsDir, id), parts: map[int]part{}, claimed: map[int]bool{}}
	js, err := os.ReadFile(filepath.Join(u.dir, uploadFile))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(js, u); err != nil {
		return nil, err
	}
	names, err := readNames(u.dir)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if filepath.Ext(n) == extCommon {
			if err := u.loadCommon(n); err != nil {
				return nil, err
			}
		}
		number, err := strconv.Atoi(n)
		if err != nil {
			continue
		}
		f, m, err := openBlob(filepath.Join(u.dir, n))
		if err != nil {
			return nil, err
		}
		_ = f.Close()
		u.parts[number] = partOf(number, m)
	}
	return u, nil
}

func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, f.Close())
}

func emptyDir(dir string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := os.RemoveAll(filepath.Join(dir, n)); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes a small file whole and durably, or not at all.
func (s *store) writeJSON(path string, v any) error {
	js, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.tmp, uuid.NewString())
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(js)
	if err == nil && s.sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return s.syncDir(filepath.Dir(path))
}
