package emulator

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// FolderInUseError says that another stack has the folder of Options.
type FolderInUseError struct {
	Dir string
	PID int // of the program with the other stack; 0 when it cannot be known
}

func (e *FolderInUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("folder %s is in use by another stack", e.Dir)
	}
	return fmt.Sprintf("folder %s is in use by another stack (pid %d)", e.Dir, e.PID)
}

// temporaryFolder makes a folder for a stack that keeps no state. It removes
// those of stacks that were killed, which could not do so themselves.
func temporaryFolder() (string, error) {
	locks, err := fs.Glob(os.DirFS(os.TempDir()), temporaryPrefix+"*/"+lockFile)
	if err != nil {
		return "", err
	}
	for _, lock := range locks {
		_ = removeAbandoned(filepath.Join(os.TempDir(), lock)) // another's is not ours to remove
	}
	return os.MkdirTemp("", temporaryPrefix)
}

const (
	temporaryPrefix = "drydock-"
	lockFile        = "lock"
)

// removeAbandoned removes the folder of a lock that was held and is no more.
func removeAbandoned(lock string) error {
	file, err := os.OpenFile(lock, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if readPID(file) == 0 { // its stack is about to lock it
		return nil
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Dir(lock))
}

// lockFolder keeps other stacks off a folder until the file is closed, or this
// program ends in whatever way. It has to come before any part: nats-server
// itself does not notice that another one writes to its folder.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer file.Close()
		return nil, &FolderInUseError{Dir: dir, PID: readPID(file)}
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprint(file, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock folder %s: %w", dir, err), file.Close())
	}
	return file, nil
}

func readPID(file io.Reader) int {
	text, err := io.ReadAll(io.LimitReader(file, 20))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return 0
	}
	return pid
}
