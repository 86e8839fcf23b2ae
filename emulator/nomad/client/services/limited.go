package services

import (
	"bytes"
	"sync"
)

// limitedBuffer keeps the beginning of what is written to it, and takes the
// rest all the same. It may be written to from several goroutines at once.
type limitedBuffer struct {
	limit int // in bytes

	mu   sync.Mutex
	kept bytes.Buffer
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept.Write(p[:min(len(p), b.limit-b.kept.Len())])
	return len(p), nil
}

// String is what was kept.
func (b *limitedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept.String()
}
