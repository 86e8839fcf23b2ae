package s3

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// meta is everything known about an object or a part besides its bytes.
type meta struct {
	ID       string            `json:"id"` // of this version of the bytes
	Key      string            `json:"key"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag"` // without quotes
	Modified time.Time         `json:"modified"`
	Headers  map[string]string `json:"headers,omitempty"` // Content-Type and its kin, canonical names
	User     map[string]string `json:"user,omitempty"`    // X-Amz-Meta-…, canonical names
	Checksum checksum          `json:"checksum,omitzero"`
	// Parts are those of a multipart upload.
	Parts []objectPart `json:"parts,omitempty"`
	// Version is the id of the version, "" for the null version. Sequence orders
	// the versions of a key.
	Version  string `json:"version,omitempty"`
	Sequence int64  `json:"sequence,omitempty"`
	// Marker says that the version is a delete marker.
	Marker bool `json:"marker,omitempty"`
	// Attributes are those that the version was written with. A sidecar may hold
	// later ones.
	Attributes attributes `json:"attributes,omitzero"`
}

// objectPart is a part as it was uploaded.
type objectPart struct {
	Number   int    `json:"n"`
	Size     int64  `json:"s"`
	Checksum string `json:"c,omitempty"` // by the algorithm of the object's
}

// The footer ends every blob: magic, length of the data, length of the
// metadata, CRC-32C of the metadata.
const (
	footerSize   = 24
	footerMagic  = "DRYBLOB1"
	maxMetaSize  = 1 << 20
	copyBufSize  = 256 << 10
	tailReadSize = 4 << 10
)

var errBadBlob = errors.New("damaged object file")

func appendTail(buf []byte, m *meta) ([]byte, error) {
	js, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	buf = append(buf, js...)
	buf = append(buf, footerMagic...)
	buf = binary.BigEndian.AppendUint64(buf, uint64(m.Size))
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(js)))
	return binary.BigEndian.AppendUint32(buf, crc32.Checksum(js, castagnoli())), nil
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// readMeta reads a blob's metadata, in one read when it is of ordinary size.
func readMeta(f *os.File) (*meta, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := st.Size()
	if size < footerSize {
		return nil, errBadBlob
	}
	tail := make([]byte, min(size, tailReadSize))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil {
		return nil, err
	}
	foot := tail[len(tail)-footerSize:]
	dataLen := int64(binary.BigEndian.Uint64(foot[8:]))
	metaLen := int64(binary.BigEndian.Uint32(foot[16:]))
	if string(foot[:8]) != footerMagic || metaLen > maxMetaSize || dataLen+metaLen+footerSize != size {
		return nil, errBadBlob
	}
	js := make([]byte, metaLen)
	if int64(len(tail)) >= metaLen+footerSize {
		copy(js, tail[int64(len(tail))-footerSize-metaLen:])
	} else if _, err := f.ReadAt(js, dataLen); err != nil {
		return nil, err
	}
	if crc32.Checksum(js, castagnoli()) != binary.BigEndian.Uint32(foot[20:]) {
		return nil, errBadBlob
	}
	m := new(meta)
	if err := json.Unmarshal(js, m); err != nil {
		return nil, fmt.Errorf("decode metadata: %w", err)
	}
	if m.Size != dataLen {
		return nil, errBadBlob
	}
	return m, nil
}

// openBlob opens a blob for reading; the caller closes the file. The file keeps
// its content when the object is overwritten or removed meanwhile.
func openBlob(path string) (*os.File, *meta, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	m, err := readMeta(f)
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return f, m, nil
}

// staged is a blob being written in tmp/. Either it is committed, or discard
// removes it; discard after a commit does nothing.
type staged struct {
	id    string
	path  string
	out   behind
	buf   []byte // what is not written yet
	spare []byte // nil until buf was full once
	pool  *sync.Pool
	size  int64
	done  bool
}

func (s *store) stage() (*staged, error) {
	id := uuid.NewString()
	path := filepath.Join(s.tmp, id)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("stage object: %w", err)
	}
	buf := s.bufs.Get().(*[]byte)
	return &staged{id: id, path: path, out: newBehind(f, 0, s.sync, false), buf: (*buf)[:0], pool: &s.bufs}, nil
}

// readFrom copies a body to the blob, which is empty: a buffer that is full is
// hashed and written while the next one is received.
func (b *staged) readFrom(p *payload) error {
	var working errgroup.Group
	defer func() { _ = working.Wait() }() // it ends before the buffers go back
	for {
		n, err := p.receive(b.buf[len(b.buf):cap(b.buf)])
		b.buf = b.buf[:len(b.buf)+n]
		b.size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			if err := working.Wait(); err != nil {
				return err
			}
			p.hash(b.buf)
			return p.verify()
		case err != nil:
			return err
		case len(b.buf) < cap(b.buf):
			continue
		}
		if err := working.Wait(); err != nil {
			return err
		}
		full := b.buf
		if b.spare == nil {
			b.spare = *b.pool.Get().(*[]byte)
		}
		b.buf, b.spare = b.spare[:0], full
		working.Go(func() error { p.hash(full); return nil })
		working.Go(func() error { return b.out.write(full) })
	}
}

func (b *staged) flush() error {
	err := b.out.write(b.buf)
	b.buf = b.buf[:0]
	return err
}

// seal writes the metadata and makes the blob durable where it is staged.
func (b *staged) seal(m *meta) error {
	m.ID, m.Size = b.id, b.size
	tail, err := appendTail(nil, m)
	if err != nil {
		return err
	}
	if len(b.buf)+len(tail) > cap(b.buf) {
		if err := b.flush(); err != nil {
			return err
		}
	}
	b.buf = append(b.buf, tail...)
	return b.settle()
}

// settle makes durable what has been written.
func (b *staged) settle() error {
	if err := b.flush(); err != nil {
		return err
	}
	if err := b.out.sync(); err != nil {
		return err
	}
	return b.close()
}

// reseal replaces the metadata of a sealed blob.
func (b *staged) reseal(m *meta, sync bool) error {
	tail, err := appendTail(nil, m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("write metadata again: %w", err)
	}
	err = f.Truncate(m.Size)
	if err == nil {
		_, err = f.WriteAt(tail, m.Size)
	}
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write metadata again: %w", err)
	}
	return nil
}

func (b *staged) close() error {
	if b.out.f == nil {
		return nil
	}
	err := b.out.f.Close()
	b.out.f = nil
	for _, buf := range [][]byte{b.buf, b.spare} {
		if buf != nil {
			b.pool.Put(&buf)
		}
	}
	b.buf, b.spare = nil, nil
	return err
}

func (b *staged) discard() {
	_ = b.close()
	if !b.done {
		_ = os.Remove(b.path)
	}
}
