package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// parent is the group that all groups made here are in.
const parent = "drydock"

// Hierarchy is where groups are made. Its methods may be called from any
// goroutine.
type Hierarchy struct{ layout layout }

// layout is what the two versions of control groups differ in.
type layout interface {
	// folders are those of a group.
	folders(name string) []string
	// confine has the calling thread, or the attributes, start processes within a
	// group, until restore is called.
	confine(name string, attr *syscall.SysProcAttr) (restore func() error, err error)
	// limit writes limits into the folders.
	limit(name string, limits Limits) error
	// usage reads what the group uses.
	usage(name string) (Usage, error)
	// oomKills counts the processes that were killed for their memory.
	oomKills(name string) int
}

// Find finds out whether groups can be made on this machine, at the usual place.
// The error says why not.
func Find() (*Hierarchy, error) { return find("/sys/fs/cgroup") }

func find(root string) (*Hierarchy, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root can limit memory and CPU")
	}
	l, err := layoutOf(root)
	if err != nil {
		return nil, err
	}
	h := &Hierarchy{layout: l}
	h.removeLeft()
	return h, nil
}

func layoutOf(root string) (layout, error) {
	controllers, err := os.ReadFile(filepath.Join(root, "cgroup.controllers"))
	if err == nil {
		return newUnified(root, strings.Fields(string(controllers)))
	}
	return newSplit(root)
}

// removeLeft removes the groups that were left by programs which were killed.
func (h *Hierarchy) removeLeft() {
	for _, folder := range h.layout.folders("") {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if entry.IsDir() && !ownerLives(entry.Name()) {
				_ = syscall.Rmdir(filepath.Join(folder, entry.Name()))
			}
		}
	}
}

// ownerLives reports whether the program runs whose number a group's name begins
// with.
func ownerLives(name string) bool {
	text, _, _ := strings.Cut(name, ".")
	pid, err := strconv.Atoi(text)
	return err == nil && syscall.Kill(pid, 0) == nil
}

// Group is a group with the processes of one task.
type Group struct {
	layout layout
	name   string
}

// Make makes a group. The caller removes it.
func (h *Hierarchy) Make(name string, limits Limits) (*Group, error) {
	g := &Group{layout: h.layout, name: fmt.Sprintf("%d.%s", os.Getpid(), strings.ReplaceAll(name, "/", "."))}
	for _, folder := range h.layout.folders(g.name) {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("make a control group: %w", err), g.Remove())
		}
	}
	if err := h.layout.limit(g.name, limits); err != nil {
		return nil, errors.Join(fmt.Errorf("limit a control group: %w", err), g.Remove())
	}
	return g, nil
}

// Confine has what the calling thread starts with the attributes be in the
// group from its very beginning, until restore is called.
func (g *Group) Confine(attr *syscall.SysProcAttr) (restore func() error, err error) {
	restore, err = g.layout.confine(g.name, attr)
	if err != nil {
		return nil, fmt.Errorf("put a process under limits: %w", err)
	}
	return restore, nil
}

// Usage measures the group.
func (g *Group) Usage() (Usage, error) { return g.layout.usage(g.name) }

// OOMKilled reports whether a process of the group was killed for its memory.
func (g *Group) OOMKilled() bool { return g.layout.oomKills(g.name) > 0 }

// Bounds of the wait for killed processes to leave a group.
const (
	removeTries = 50
	removePause = 10 * time.Millisecond
)

// Remove kills what is left of the group and removes it.
func (g *Group) Remove() error {
	var all error
	for _, folder := range g.layout.folders(g.name) {
		all = errors.Join(all, remove(folder))
	}
	return all
}

func remove(folder string) error {
	var err error
	for range removeTries {
		killMembers(folder)
		if err = syscall.Rmdir(folder); err == nil || errors.Is(err, syscall.ENOENT) {
			return nil
		}
		time.Sleep(removePause)
	}
	return fmt.Errorf("remove the control group %s: %w", folder, err)
}

// killMembers kills what is in a group, but for this program: where groups hold
// threads, one of its own is in there for as long as it starts a process.
func killMembers(folder string) {
	text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return
	}
	for _, line := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(line); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

func write(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// number reads a file with one number; one that cannot be read is 0.
func number(file string) uint64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	value, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return value
}

// table reads a file with a name and a number on each line.
func table(file string) map[string]uint64 {
	values := map[string]uint64{}
	text, err := os.ReadFile(file)
	if err != nil {
		return values
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		if value, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
			values[fields[0]] = value
		}
	}
	return values
}
