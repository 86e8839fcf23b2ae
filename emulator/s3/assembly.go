package s3

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// Where all parts but the last are of one size, as clients make them, each is
// written to the place in a common file that it has in the object. When all of
// them are there, that file becomes the object and nothing is copied.
const (
	commonFile = "data"
	extCommon  = ".json" // of what is known of such a part
)

// commonPart is what a part's own file holds when its data is in the common one.
type commonPart struct {
	Stride int64 `json:"stride"`
	Meta   meta  `json:"meta"`
}

// claim gives a part its place in the common file, until release. It returns
// false when the part has to be a file of its own.
func (u *upload) claim(number int, size int64) (offset int64, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stride == 0 && size >= minPartSize {
		u.stride = size
	}
	_, there := u.parts[number]
	offset = int64(number-1) * u.stride
	if there || u.claimed[number] || size < 1 || size > u.stride || offset > maxObjectSize-size {
		return 0, false
	}
	u.claimed[number] = true
	return offset, true
}

func (u *upload) release(number int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.claimed, number)
}

// storeCommon makes a part durable in the common file.
func (q *request) storeCommon(u *upload, number int, offset int64, p *payload) (*meta, error) {
	s := q.srv.st
	st, err := s.stageIn(filepath.Join(u.dir, commonFile), os.O_CREATE, offset)
	if err != nil {
		return nil, err
	}
	defer st.discard()
	if err := st.readFrom(p); err != nil {
		return nil, err
	}
	m := &meta{Key: u.Key, Size: st.size, ETag: p.etag(), Checksum: p.checksum(), Modified: q.srv.now().UTC()}
	if err := st.settle(); err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return nil, errNoSuchUpload
	}
	if err := s.writeJSON(u.partPath(number)+extCommon, commonPart{Stride: u.stride, Meta: *m}); err != nil {
		return nil, fmt.Errorf("store part: %w", err)
	}
	u.parts[number] = partOf(number, m).at(offset)
	return m, nil
}

// stageIn continues an existing file at an offset; discard leaves it.
func (s *store) stageIn(path string, flag int, offset int64) (*staged, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|flag, 0o600)
	if err != nil {
		return nil, fmt.Errorf("stage part: %w", err)
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("stage part: %w", err)
	}
	buf := s.bufs.Get().(*[]byte)
	return &staged{path: path, out: newBehind(f, offset, s.sync, true), buf: (*buf)[:0], pool: &s.bufs, done: true}, nil
}

// loadCommon reads what an earlier run knew of a part in the common file.
func (u *upload) loadCommon(name string) error {
	number, err := strconv.Atoi(strings.TrimSuffix(name, extCommon))
	if err != nil {
		return nil // of the upload itself
	}
	js, err := os.ReadFile(filepath.Join(u.dir, name))
	if err != nil {
		return err
	}
	var c commonPart
	if err := json.Unmarshal(js, &c); err != nil {
		return err
	}
	u.stride = c.Stride
	if _, newer := u.parts[number]; !newer { // what replaced it is a file of its own
		u.parts[number] = partOf(number, &c.Meta).at(int64(number-1) * c.Stride)
	}
	return nil
}

// whole tells whether the parts are all that the common file has, one after the
// other. u.mu is held.
func (u *upload) whole(parts []part) bool {
	common := 0
	for _, p := range u.parts {
		if p.common {
			common++
		}
	}
	if len(u.claimed) > 0 || common != len(parts) {
		return false
	}
	var size int64
	for _, p := range parts {
		if !p.common || p.offset != size {
			return false
		}
		size += p.size
	}
	return true
}

// stageWhole makes the common file a staged blob that lacks its metadata. The
// upload keeps it until it ends, and writes to it no more. u.mu is held.
func (s *store) stageWhole(u *upload, parts []part) (*staged, error) {
	u.stride = -1
	last := parts[len(parts)-1]
	size := last.offset + last.size
	id := uuid.NewString()
	path := filepath.Join(s.tmp, id)
	if err := os.Link(filepath.Join(u.dir, commonFile), path); err != nil {
		return nil, fmt.Errorf("assemble parts: %w", err)
	}
	st, err := s.stageIn(path, 0, size)
	if err == nil {
		err = st.out.f.Truncate(size) // of a tail from an attempt before
	}
	if err != nil {
		_ = os.Remove(path)
		return nil, fmt.Errorf("assemble parts: %w", err)
	}
	st.id, st.size, st.done = id, size, false
	return st, nil
}

// stageCopies makes a staged blob, without its metadata, of copies of the parts.
func (s *store) stageCopies(u *upload, parts []part) (*staged, error) {
	st, err := s.stage()
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		path := u.partPath(p.number)
		if p.common {
			path = filepath.Join(u.dir, commonFile)
		}
		if err := st.appendFile(path, p.offset, p.size); err != nil {
			st.discard()
			return nil, fmt.Errorf("assemble part %d: %w", p.number, err)
		}
	}
	return st, nil
}

// appendFile appends a range of a file, within the kernel where it can.
func (b *staged) appendFile(path string, offset, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	n, err := io.CopyN(b.out.f, f, size)
	b.size += n
	return err
}
