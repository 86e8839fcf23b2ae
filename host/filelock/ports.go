package filelock

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// TakePort takes the lock of a TCP port of this machine, which keeps a port that
// was chosen from other programs of this user that choose one for the same use.
func TakePort(use string, number int) (*Lock, error) {
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("drydock-ports-%d", os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for the locks of ports: %w", err)
	}
	return Take(filepath.Join(folder, use+"-"+strconv.Itoa(number)))
}
