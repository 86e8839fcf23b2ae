package s3

import (
	"fmt"
	"os"
)

const (
	earlyWrite   = 1 << 20  // the disk is told of so much at once: a quarter more than with 4 MiB, for objects of 4 MiB
	keepOfObject = 32 << 20 // so much of an object's end stays in the system's memory
	keepOfPart   = 8 << 20  // and of a part's, until it is durable
)

// behind writes a file from an offset on. Where it is to be durable, the disk
// is at work on it meanwhile, so that the sync at the end waits for little; and
// of what the disk has, the system's memory keeps only the newest: a large
// object does not push out what others read, and pages that were just used are
// cheaper to have than new ones.
type behind struct {
	f       *os.File
	durable bool
	part    bool  // of an object that is larger
	written int64 // up to where
	begun   int64 // up to where the disk has been told of it
	cached  int64 // from where on it is in the system's memory
}

func newBehind(f *os.File, offset int64, durable, part bool) behind {
	return behind{f: f, durable: durable, part: part, written: offset, begun: offset, cached: offset}
}

func (w *behind) write(b []byte) error {
	n, err := w.f.Write(b)
	w.written += int64(n)
	if err != nil {
		return fmt.Errorf("write object: %w", err)
	}
	if w.durable && w.written-w.begun >= earlyWrite {
		writeSoon(w.f, w.begun, w.written-w.begun)
		w.begun = w.written
		if w.begun-w.cached >= w.keep() {
			uncache(w.f, w.cached, earlyWrite)
			w.cached += earlyWrite
		}
	}
	return nil
}

func (w *behind) keep() int64 {
	if w.part {
		return keepOfPart
	}
	return keepOfObject
}

// sync makes durable what has been written.
func (w *behind) sync() error {
	if !w.durable {
		return nil
	}
	if err := w.f.Sync(); err != nil {
		return fmt.Errorf("sync object: %w", err)
	}
	if w.part {
		uncache(w.f, w.cached, w.written-w.cached)
		w.cached = w.written
	}
	return nil
}
