package client

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
)

// Machine is what is known of this machine. It is found once, for all nodes on it.
type Machine struct {
	Hostname      string
	Kernel        string // linux, darwin, …
	KernelVersion string
	OS            string // the distribution
	OSVersion     string
	Arch          string // as Go names it
	KernelArch    string // as the kernel names it
	CPUModel      string
	Cores         int
	MHz           int // of one core
	MemoryMB      int
	DiskMB        int // of the folder
	DiskFreeMB    int
	Volume        string // the device that the folder is on
	CgroupVersion int    // 0 without
}

// usualMHz is what a core counts for when the machine does not say.
const usualMHz = 2000

// FindMachine asks the machine about itself. What it does not say of its disk is
// about the folder.
func FindMachine(ctx context.Context, folder string) (*Machine, error) {
	info, err := host.InfoWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the machine about its system: %w", err)
	}
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the machine about its memory: %w", err)
	}
	m := &Machine{
		Hostname: info.Hostname, Kernel: runtime.GOOS, KernelVersion: info.KernelVersion,
		OS: info.Platform, OSVersion: info.PlatformVersion, Arch: runtime.GOARCH, KernelArch: info.KernelArch,
		Cores: runtime.NumCPU(), MHz: usualMHz, MemoryMB: int(memory.Total >> 20), CgroupVersion: cgroupVersion(),
	}
	if processors, err := cpu.InfoWithContext(ctx); err == nil && len(processors) > 0 {
		m.CPUModel = processors[0].ModelName
		if mhz := int(processors[0].Mhz); mhz > 0 {
			m.MHz = mhz
		}
	}
	if usage, err := disk.UsageWithContext(ctx, folder); err == nil {
		m.DiskMB, m.DiskFreeMB = int(usage.Total>>20), int(usage.Free>>20)
	}
	m.Volume = volumeOf(ctx, folder)
	return m, nil
}

// volumeOf is the device that a folder is on: that of the longest path among
// those where one is mounted; empty when the machine does not say.
func volumeOf(ctx context.Context, folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return ""
	}
	partitions, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		return ""
	}
	var found disk.PartitionStat
	for _, p := range partitions {
		relative, err := filepath.Rel(p.Mountpoint, folder)
		if err == nil && filepath.IsLocal(relative) && len(p.Mountpoint) > len(found.Mountpoint) {
			found = p
		}
	}
	return found.Device
}

// cgroupVersion is the version of control groups that the system has.
func cgroupVersion() int {
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		return 2
	}
	if _, err := os.Stat("/sys/fs/cgroup/memory"); err == nil {
		return 1
	}
	return 0
}

// attributes are what jobs may ask of the machine, as Nomad names it.
func (m *Machine) attributes() map[string]string {
	attributes := map[string]string{
		"kernel.name": m.Kernel, "kernel.version": m.KernelVersion, "kernel.arch": m.KernelArch,
		"os.name": m.OS, "os.version": m.OSVersion,
		"cpu.arch": m.Arch, "cpu.modelname": m.CPUModel, "cpu.frequency": strconv.Itoa(m.MHz),
		"cpu.numcores": strconv.Itoa(m.Cores), "cpu.reservablecores": strconv.Itoa(m.Cores),
		"numa.node.count":       "1",
		"numa.node0.cores":      coreRange(m.Cores),
		"unique.hostname":       m.Hostname,
		"unique.storage.volume": m.Volume,
	}
	if m.CgroupVersion > 0 {
		attributes["os.cgroups.version"] = strconv.Itoa(m.CgroupVersion)
	}
	return attributes
}
