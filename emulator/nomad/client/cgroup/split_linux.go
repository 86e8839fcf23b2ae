package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// split is version 1: a tree for each kind of resource.
type split struct {
	memory, cpu string
	homes       []string // the groups that this program's threads are in
}

func newSplit(root string) (layout, error) {
	s := &split{memory: filepath.Join(root, "memory", parent), cpu: filepath.Join(root, "cpu", parent)}
	for _, folder := range s.folders("") {
		if _, err := os.Stat(filepath.Join(filepath.Dir(folder), "cgroup.procs")); err != nil {
			return nil, errors.New("this machine has no control groups for memory and CPU")
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
	}
	var err error
	s.homes, err = homes(root)
	return s, err
}

// homes are the folders of the groups that the calling thread is in: of memory,
// then of CPU. Another thread may just be confined.
func homes(root string) ([]string, error) {
	text, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.SplitN(strings.TrimSpace(line), ":", 3); len(fields) == 3 {
			for _, controller := range strings.Split(fields[1], ",") {
				found[controller] = filepath.Join(root, controller, fields[2])
			}
		}
	}
	if found["memory"] == "" || found["cpu"] == "" {
		return nil, errors.New("this program is in no control groups of memory and CPU")
	}
	return []string{found["memory"], found["cpu"]}, nil
}

// confine moves the calling thread, whose children begin where it is. It is to
// be locked to its goroutine.
func (s *split) confine(name string, _ *syscall.SysProcAttr) (restore func() error, err error) {
	restore = func() error { return moveThread(s.homes) }
	if err := moveThread(s.folders(name)); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}

// moveThread moves the calling thread into groups.
func moveThread(folders []string) error {
	thread := strconv.Itoa(syscall.Gettid())
	for _, folder := range folders {
		if err := write(filepath.Join(folder, "tasks"), thread); err != nil {
			return err
		}
	}
	return nil
}

func (s *split) folders(name string) []string {
	return []string{filepath.Join(s.memory, name), filepath.Join(s.cpu, name)}
}

func (s *split) limit(name string, limits Limits) error {
	if limits.MemoryBytes > 0 {
		err := write(filepath.Join(s.memory, name, "memory.limit_in_bytes"), strconv.FormatInt(limits.MemoryBytes, 10))
		if err != nil {
			return err
		}
	}
	if limits.CPUShares > 0 {
		return write(filepath.Join(s.cpu, name, "cpu.shares"), strconv.FormatInt(max(limits.CPUShares, 2), 10))
	}
	return nil
}

func (s *split) usage(name string) (Usage, error) {
	folder := filepath.Join(s.memory, name)
	if _, err := os.Stat(folder); err != nil {
		return Usage{}, err
	}
	stat := table(filepath.Join(folder, "memory.stat"))
	return Usage{
		RSS: stat["total_rss"], Cache: stat["total_cache"], Swap: stat["total_swap"],
		Current:   number(filepath.Join(folder, "memory.usage_in_bytes")),
		Max:       number(filepath.Join(folder, "memory.max_usage_in_bytes")),
		Kernel:    number(filepath.Join(folder, "memory.kmem.usage_in_bytes")),
		KernelMax: number(filepath.Join(folder, "memory.kmem.max_usage_in_bytes")),
	}, nil
}

func (s *split) oomKills(name string) int {
	return int(table(filepath.Join(s.memory, name, "memory.oom_control"))["oom_kill"])
}
