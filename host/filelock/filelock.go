// Package filelock takes locks that other processes heed, and that are gone with
// their holder, however it ends. Stacks and the emulated nodes lock their folders
// with it, and whoever gives ports to tasks and parts those.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// ErrHeld is returned by Take when somebody else holds the lock.
var ErrHeld = errors.New("somebody else holds it")

// Lock is a lock on a path.
type Lock struct {
	file *os.File
	once sync.Once
}

// Take takes the lock of a path, without waiting for it: ErrHeld says that
// somebody has it, in this process or another.
func Take(path string) (*Lock, error) {
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("open lock file: %w", err)
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			file.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, ErrHeld
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// A holder that released it in between has removed the file: then this lock is of a file that nobody else sees.
		if mine, err := file.Stat(); err == nil {
			if now, err := os.Stat(path); err == nil && os.SameFile(mine, now) {
				return &Lock{file: file}, nil
			}
		}
		file.Close()
	}
}

// Release gives the lock back and removes the file. A second call does nothing.
func (l *Lock) Release() {
	l.once.Do(func() {
		os.Remove(l.file.Name())
		l.file.Close()
	})
}
