package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// unified is version 2: one tree for all kinds of resources.
type unified struct{ root string }

func newUnified(root string, controllers []string) (layout, error) {
	u := &unified{root: filepath.Join(root, parent)}
	if err := os.MkdirAll(u.root, 0o755); err != nil {
		return nil, err
	}
	for _, controller := range []string{"memory", "cpu"} {
		if !slices.Contains(controllers, controller) {
			return nil, fmt.Errorf("this machine's control groups have no controller %q", controller)
		}
		for _, folder := range []string{root, u.root} { // each level hands it down to the next
			if err := write(filepath.Join(folder, "cgroup.subtree_control"), "+"+controller); err != nil {
				return nil, fmt.Errorf("turn on the controller %q: %w", controller, err)
			}
		}
	}
	return u, nil
}

func (u *unified) folders(name string) []string { return []string{filepath.Join(u.root, name)} }

func (u *unified) confine(name string, attr *syscall.SysProcAttr) (restore func() error, err error) {
	folder, err := os.Open(filepath.Join(u.root, name))
	if err != nil {
		return nil, err
	}
	attr.UseCgroupFD, attr.CgroupFD = true, int(folder.Fd())
	return folder.Close, nil
}

func (u *unified) limit(name string, limits Limits) error {
	folder := filepath.Join(u.root, name)
	if limits.MemoryBytes > 0 {
		if err := write(filepath.Join(folder, "memory.max"), strconv.FormatInt(limits.MemoryBytes, 10)); err != nil {
			return err
		}
	}
	if limits.CPUShares > 0 {
		return write(filepath.Join(folder, "cpu.weight"), strconv.FormatInt(weight(limits.CPUShares), 10))
	}
	return nil
}

// weight turns shares, of 2 to 262144, into a weight, of 1 to 10000.
func weight(shares int64) int64 {
	shares = min(max(shares, 2), 262144)
	return 1 + (shares-2)*9999/262142
}

func (u *unified) usage(name string) (Usage, error) {
	folder := filepath.Join(u.root, name)
	if _, err := os.Stat(folder); err != nil {
		return Usage{}, err
	}
	stat := table(filepath.Join(folder, "memory.stat"))
	return Usage{
		RSS: stat["anon"], Cache: stat["file"], Kernel: stat["kernel"],
		Swap:    number(filepath.Join(folder, "memory.swap.current")),
		Current: number(filepath.Join(folder, "memory.current")),
		Max:     number(filepath.Join(folder, "memory.peak")),
	}, nil
}

func (u *unified) oomKills(name string) int {
	return int(table(filepath.Join(u.root, name, "memory.events"))["oom_kill"])
}
