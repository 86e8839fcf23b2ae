// Package allocdir lays the directory of an allocation out as Nomad does. The
// node builds it, its drivers and hooks write to it, and the fs endpoints read it.
package allocdir

import (
	"fmt"
	"os"
	"path/filepath"
)

// Modes of the folders: tasks may run as any user, so that they are everybody's.
const (
	everybodys = 0o777
	temporary  = 0o777 | os.ModeSticky
)

// Dir is the directory of one allocation. The zero value is none.
type Dir struct{ Root string }

// Shared is the folder that all tasks of the allocation share.
func (d Dir) Shared() string { return filepath.Join(d.Root, "alloc") }

// Data is what an ephemeral disk keeps for the next allocation.
func (d Dir) Data() string { return filepath.Join(d.Shared(), "data") }

// Logs holds what the tasks print.
func (d Dir) Logs() string { return filepath.Join(d.Shared(), "logs") }

// LogFile is the file with the index of a stream, stdout or stderr, of a task.
func (d Dir) LogFile(task, stream string, index int) string {
	return filepath.Join(d.Logs(), fmt.Sprintf("%s.%s.%d", task, stream, index))
}

// Task is the directory of a task.
func (d Dir) Task(name string) Task {
	return Task{Root: filepath.Join(d.Root, name), Shared: d.Shared()}
}

// Build makes the folders that are not there yet.
func (d Dir) Build(tasks []string) error {
	folders := map[string]os.FileMode{
		d.Shared(): everybodys, d.Data(): everybodys, d.Logs(): everybodys, filepath.Join(d.Shared(), "tmp"): everybodys,
	}
	for _, name := range tasks {
		t := d.Task(name)
		folders[t.Root], folders[t.Local()], folders[t.Secrets()] = everybodys, everybodys, everybodys
		folders[t.Private()], folders[t.Temporary()] = everybodys, temporary
	}
	// Tasks of other users go through what the directory is in, and see nobody else's.
	if err := os.MkdirAll(filepath.Dir(d.Root), 0o711); err != nil {
		return fmt.Errorf("build the directory of the allocation: %w", err)
	}
	for folder, mode := range folders {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("build the directory of the allocation: %w", err)
		}
		if err := os.Chmod(folder, mode); err != nil { // past the umask
			return fmt.Errorf("build the directory of the allocation: %w", err)
		}
	}
	return nil
}

// WipeSecrets removes what must not outlive the tasks.
func (d Dir) WipeSecrets(tasks []string) error {
	for _, name := range tasks {
		for _, folder := range []string{d.Task(name).Secrets(), d.Task(name).Private()} {
			if err := os.RemoveAll(folder); err != nil {
				return fmt.Errorf("remove the secrets of task %q: %w", name, err)
			}
		}
	}
	return nil
}

// Remove removes the directory with all that is in it.
func (d Dir) Remove() error { return os.RemoveAll(d.Root) }

// Task is the directory of one task.
type Task struct {
	Root   string
	Shared string // the allocation's
}

// Local is the task's own folder.
func (t Task) Local() string { return filepath.Join(t.Root, "local") }

// Secrets holds what nobody else is to read through the API.
func (t Task) Secrets() string { return filepath.Join(t.Root, "secrets") }

// Private holds what the node alone uses.
func (t Task) Private() string { return filepath.Join(t.Root, "private") }

// Temporary is the task's /tmp.
func (t Task) Temporary() string { return filepath.Join(t.Root, "tmp") }
