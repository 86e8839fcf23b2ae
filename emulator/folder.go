package emulator

import (
	"errors"
	"fmt"
	"io"
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

// lockFolder keeps other stacks off a folder until the file is closed, or this
// program ends in whatever way. It has to come before any part: nats-server
// itself does not notice that another one writes to its folder.
func lockFolder(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
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
