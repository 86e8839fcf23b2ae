package s3

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/drydock/drydock/emulator/s3/iam"
)

const keyLocks = 1024

// store is the folder: buckets, objects, uploads and the commit log. It knows
// nothing of HTTP.
type store struct {
	dir, tmp, logs, bucketsDir, uploadsDir string

	sync bool
	log  *slog.Logger
	lock *os.File // holds the flock
	tmpf *os.File
	j    *journal

	bufs  sync.Pool
	seed  maphash.Seed
	locks [keyLocks]sync.Mutex

	mu      sync.RWMutex
	buckets map[string]*bucket
	uploads map[string]*upload

	lastSequence atomic.Int64

	enqueue func(r *record, p place) // hands committed events to the outbox
}

// bucket is one bucket. A commit holds mu for reading, removing the bucket for
// writing.
type bucket struct {
	name    string
	dir     string
	objects string
	index   *index

	mu   sync.RWMutex
	gone bool

	confMu sync.RWMutex
	conf   bucketConf
}

// bucketConf is what bucket.json holds.
type bucketConf struct {
	Created time.Time `json:"created"`
	// Sequence is greater than that of any change to an earlier bucket with the
	// same name.
	Sequence     int64                       `json:"sequence,omitempty"`
	Versioning   string                      `json:"versioning,omitempty"` // "", Enabled or Suspended
	ObjectLock   *objectLock                 `json:"objectLock,omitempty"`
	Policy       *iam.Policy                 `json:"policy,omitempty"`
	CORS         *cors.Config                `json:"cors,omitempty"`
	Notification *notification.Configuration `json:"notification,omitempty"`
	Tags         map[string]string           `json:"tags,omitempty"`
	Lifecycle    *lifecycle.Configuration    `json:"lifecycle,omitempty"`
	LifecycleAt  time.Time                   `json:"lifecycleAt,omitzero"`
}

func (b *bucket) config() bucketConf {
	b.confMu.RLock()
	defer b.confMu.RUnlock()
	return b.conf
}

// objectPath is where a version of an object lives: never outside the bucket's
// folder, whatever the key. The null version's id is "".
func (b *bucket) objectPath(key, version string) string {
	sum := sha256.Sum256([]byte(key))
	name := hex.EncodeToString(sum[:])
	if version != "" {
		name += "." + version
	}
	return filepath.Join(b.objects, name)
}

// lockKeys locks the given keys of a bucket, in an order that cannot deadlock.
func (s *store) lockKeys(bucket string, keys ...string) (unlock func()) {
	slots := make([]int, 0, len(keys))
	for _, k := range keys {
		slots = append(slots, int(maphash.String(s.seed, bucket+"/"+k)%keyLocks))
	}
	slices.Sort(slots)
	slots = slices.Compact(slots)
	for _, i := range slots {
		s.locks[i].Lock()
	}
	return func() {
		for _, i := range slots {
			s.locks[i].Unlock()
		}
	}
}

func (s *store) bucket(name string) (*bucket, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b, ok := s.buckets[name]
	if !ok {
		return nil, errNoSuchBucket
	}
	return b, nil
}

func (s *store) allBuckets() []*bucket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.buckets))
}

// change is what a commit depends on and leads to.
type change struct {
	// check refuses the change, given the object that is there now, if any.
	check func(cur entry, exists bool) error
	// events are what the change causes, given the object that it is about.
	events func(m *meta) ([]event, error)
	// upload is the multipart upload that ends with the change, if any.
	upload *upload
}

// nextSequence returns a number greater than all before it, also of earlier runs.
func (s *store) nextSequence() int64 {
	for {
		last := s.lastSequence.Load()
		next := max(time.Now().UnixNano(), last+1)
		if s.lastSequence.CompareAndSwap(last, next) {
			return next
		}
	}
}

// sawSequence makes later numbers greater than n.
func (s *store) sawSequence(n int64) {
	for {
		last := s.lastSequence.Load()
		if n <= last || s.lastSequence.CompareAndSwap(last, n) {
			return
		}
	}
}

// seal ends a staged blob as a version of an object of b.
func (s *store) seal(b *bucket, st *staged, m *meta) error {
	m.Version, m.Sequence = b.newVersion(), s.nextSequence()
	return st.seal(m)
}

// put commits a blob that seal has ended. When it returns nil the object is
// durable and its events are on their way.
func (s *store) put(b *bucket, st *staged, m *meta, c change) error {
	unlock := s.lockKeys(b.name, m.Key)
	defer unlock()
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.gone {
		return errNoSuchBucket
	}
	cur, exists := b.index.get(m.Key)
	if err := c.check(cur, exists); err != nil {
		return err
	}
	if cur.sequence > m.Sequence && b.config().Versioning != "" { // another was sealed later and came first
		m.Sequence = s.nextSequence()
		if err := st.reseal(m, s.sync); err != nil {
			return err
		}
	}
	events, err := c.events(m)
	if err != nil {
		return err
	}
	rec := &record{Op: opPut, Bucket: b.name, Key: m.Key, Version: m.Version, Sequence: m.Sequence, ID: st.id, Events: events}
	if c.upload != nil {
		rec.Upload = c.upload.ID
	}
	places, err := s.j.append(rec)
	if err != nil {
		return err
	}
	st.done = true
	if err := os.Rename(st.path, b.objectPath(m.Key, m.Version)); err != nil {
		return s.j.fail(fmt.Errorf("show object: %w", err))
	}
	s.show(b, m)
	if c.upload != nil {
		s.forgetUpload(c.upload)
	}
	places[0].seg.applied(b.objects)
	s.enqueue(rec, places[0])
	return nil
}

// show enters a version that has come to its place.
func (s *store) show(b *bucket, m *meta) {
	if old, ok := b.index.version(m.Key, m.Version); ok && old.attributes != nil {
		_ = os.Remove(b.objectPath(m.Key, m.Version) + sidecarSuffix) // of what m replaces: nobody reads it any more
	}
	b.index.set(entryOf(m))
}

// createBucket makes a bucket whole or not at all. One with object lock is
// versioned for ever.
func (s *store) createBucket(name string, now time.Time, locked bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.buckets[name]; ok {
		return errBucketOwned
	}
	dir := filepath.Join(s.tmp, uuid.NewString())
	defer func() { _ = os.RemoveAll(dir) }() // it has another name when all went well
	if err := os.MkdirAll(filepath.Join(dir, "objects"), 0o700); err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	conf := bucketConf{Created: now, Sequence: s.nextSequence()}
	if locked {
		conf.Versioning, conf.ObjectLock = versioningEnabled, &objectLock{}
	}
	if err := s.writeJSON(filepath.Join(dir, bucketFile), conf); err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	b := newBucket(s.bucketsDir, name)
	if err := os.Rename(dir, b.dir); err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	if err := s.syncDir(s.bucketsDir); err != nil {
		return fmt.Errorf("create bucket: %w", err)
	}
	b.conf = conf
	s.buckets[name] = b
	return nil
}

func newBucket(parent, name string) *bucket {
	dir := filepath.Join(parent, name)
	return &bucket{name: name, dir: dir, objects: filepath.Join(dir, "objects"), index: newIndex()}
}

// deleteBucket removes a bucket, which has to be empty unless forced, and the
// uploads under way to it.
func (s *store) deleteBucket(name string, forced bool) error {
	b, err := s.bucket(name)
	if err != nil {
		return err
	}
	trash := filepath.Join(s.tmp, uuid.NewString())
	if err := s.unlinkBucket(b, trash, forced); err != nil {
		return err
	}
	for _, u := range s.uploadsOf(name) {
		u.mu.Lock()
		u.ended = true
		s.forgetUpload(u)
		u.mu.Unlock()
	}
	if err := os.RemoveAll(trash); err != nil {
		return fmt.Errorf("delete bucket: %w", err)
	}
	return nil
}

func (s *store) unlinkBucket(b *bucket, trash string, forced bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.gone:
		return errNoSuchBucket
	case forced && b.config().ObjectLock != nil:
		return errMethodNotAllowed
	case forced:
	case b.index.len() > 0 && b.config().Versioning != "":
		return errBucketNotEmpty.saying("The bucket you tried to delete is not empty. You must delete all versions in the bucket.")
	case b.index.len() > 0:
		return errBucketNotEmpty
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Rename(b.dir, trash); err != nil {
		return fmt.Errorf("delete bucket: %w", err)
	}
	b.gone = true
	delete(s.buckets, b.name)
	if err := s.syncDir(s.bucketsDir); err != nil {
		return fmt.Errorf("delete bucket: %w", err)
	}
	return nil
}

// configure changes a bucket's configuration durably.
func (s *store) configure(b *bucket, edit func(c *bucketConf)) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.gone {
		return errNoSuchBucket
	}
	b.confMu.Lock()
	defer b.confMu.Unlock()
	conf := b.conf
	edit(&conf)
	if err := s.writeJSON(filepath.Join(b.dir, bucketFile), conf); err != nil {
		return fmt.Errorf("configure bucket: %w", err)
	}
	b.conf = conf
	return nil
}

func (s *store) syncDir(path string) error {
	if !s.sync {
		return nil
	}
	return syncPath(path)
}

// close stops the log and gives the folder back. Reads under way go on.
func (s *store) close() error {
	s.j.close()
	return errors.Join(s.tmpf.Close(), unlockDir(s.lock))
}

func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, fmt.Errorf("lock folder: %w", err)
	}
	return f, nil
}

func unlockDir(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
