package files

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/hashicorp/nomad/api"
)

// Stream sends a file in frames from an offset on: to its end, or, to follow it, until ctx or the file ends. It returns the
// context's error, that of send, or an *Error for what cannot be read; before the first frame alone the last can be answered
// with its status.
func (d *Directory) Stream(ctx context.Context, request StreamRequest, send Send) error {
	r, file, err := d.content(request.Path, streamStatuses)
	if err != nil {
		return err
	}
	defer r.close()
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return r.fail("stat", err)
	}
	offset := request.Offset
	if request.Origin == api.OriginEnd {
		offset = max(about.Size()-offset, 0)
	}
	if offset < 0 {
		return r.badOffset(offset)
	}
	t := newTail(request.Path, file, min(offset, about.Size()), send)
	if !request.Follow {
		return t.drain(ctx)
	}
	return follow(ctx, send, func() (bool, error) { return r.step(ctx, t) })
}

// step sends what is new in the file, and what has happened to it.
func (r *resolved) step(ctx context.Context, t *tail) (done bool, err error) {
	gone := r.replaced(t.file) // looked at first: what was written before it went is still sent
	if err := t.checkTruncated(); err != nil {
		return false, r.fail("stat", err)
	}
	if err := t.drain(ctx); err != nil {
		return false, err
	}
	if gone {
		t.event = fileDeleted
	}
	if t.event != "" {
		err = t.sendFrame(nil)
	}
	return gone, err
}

// replaced reports whether the name leads to the file no more.
func (r *resolved) replaced(file *os.File) bool {
	now, err := r.root.Lstat(r.name)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	then, err := file.Stat()
	return err == nil && !os.SameFile(now, then)
}
