package files

import (
	"io"
	"math"
	"os"
)

// Content is what is in a file, or in a part of it. The caller closes it.
type Content struct {
	io.Reader
	ContentType string // under which it may be sent to a browser

	file *os.File
}

// Close closes the file.
func (c *Content) Close() error { return c.file.Close() }

// Cat opens a file to read all of it.
func (d *Directory) Cat(path string) (*Content, error) { return d.ReadAt(path, 0, 0) }

// ReadAt opens a file to read limit bytes from an offset; without a limit, 0 or less, to its end.
func (d *Directory) ReadAt(path string, offset, limit int64) (*Content, error) {
	r, file, err := d.content(path, readStatuses)
	if err != nil {
		return nil, err
	}
	defer r.close()
	content, err := r.read(file, offset, limit)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return content, nil
}

func (r *resolved) read(file *os.File, offset, limit int64) (*Content, error) {
	start, err := startOf(file)
	if err != nil {
		return nil, r.fail("read", err)
	}
	if offset < 0 {
		return nil, r.badOffset(offset)
	}
	if limit <= 0 {
		limit = math.MaxInt64 - offset
	}
	return &Content{Reader: io.NewSectionReader(file, offset, limit), ContentType: plainType(start), file: file}, nil
}

// badOffset is the answer for an offset before the beginning of the file.
func (r *resolved) badOffset(offset int64) error {
	return newError(r.statuses.other, "can't seek to offset %d: seek %s: invalid argument", offset, r.fullPath())
}
