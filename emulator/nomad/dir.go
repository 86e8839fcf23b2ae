package nomad

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/drydock/drydock/host/filelock"
)

// takeDir makes the folder, and sees to it that no other Nomad has it.
func (n *Nomad) takeDir() error {
	if n.options.Dir == "" {
		dir, err := os.MkdirTemp("", "drydock-nomad-")
		if err != nil {
			return err
		}
		n.options.Dir, n.temporary = dir, true
		return openWay(dir)
	}
	if err := os.MkdirAll(n.options.Dir, 0o755); err != nil {
		return err
	}
	lock, err := filelock.Take(filepath.Join(n.options.Dir, "nomad.lock"))
	if err != nil {
		return fmt.Errorf("take %s: %w: stop the other one, or use another folder", n.options.Dir, err)
	}
	n.lock = lock
	return nil
}

// openWay makes the folder, or finds it made, such that tasks of other users go
// through it, to what is theirs below it.
func openWay(dir string) error {
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return err
	}
	return os.Chmod(dir, 0o711)
}

// leaveDir gives the folder back. It may be called twice.
func (n *Nomad) leaveDir() error {
	if n.temporary {
		return os.RemoveAll(n.options.Dir)
	}
	if n.lock != nil {
		n.lock.Release()
	}
	return nil
}
