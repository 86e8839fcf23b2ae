package client

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// errLocked is returned by lockFile when someone else holds the lock.
var errLocked = errors.New("it is in use by another nomad")

// fileLock is a lock on a path that is gone with its holder, however that ends.
type fileLock struct{ file *os.File }

// lockFile takes the lock of a path without waiting for it.
func lockFile(path string) (*fileLock, error) {
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock file: %w", err)
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			file.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, errLocked
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// A holder that released it in between has removed the file: then this lock is of a file that nobody else sees.
		if mine, err := file.Stat(); err == nil {
			if now, err := os.Stat(path); err == nil && os.SameFile(mine, now) {
				return &fileLock{file}, nil
			}
		}
		file.Close()
	}
}

// release gives the lock back and removes the file.
func (l *fileLock) release() {
	os.Remove(l.file.Name())
	l.file.Close()
}
