package s3

import (
	"fmt"
	"io"

	"github.com/drydock/drydock/cloud"
)

// exactReader hands on exactly the announced bytes: a body that ends early is
// an error, and so is one that has more.
type exactReader struct {
	from io.Reader
	left int64
}

func (r *exactReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if err := r.finish(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.from.Read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		return n, io.ErrUnexpectedEOF
	}
	if r.left == 0 && (err == nil || err == io.EOF) {
		// Look for a surplus before the last byte is handed on: once the store
		// has them all, the object is there.
		err = r.finish()
	}
	return n, err
}

// finish returns an error when bytes are missing or left over.
func (r *exactReader) finish() error {
	if r.left > 0 {
		return io.ErrUnexpectedEOF
	}
	var one [1]byte
	n, err := io.ReadFull(r.from, one[:])
	if n > 0 {
		return fmt.Errorf("the body is longer than its announced size: %w", cloud.ErrInvalid)
	}
	if err != io.EOF {
		return err
	}
	return nil
}
