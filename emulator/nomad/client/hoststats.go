package client

import (
	"context"
	"os"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/disk"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
)

// HostStats is what a node says of its machine: what the Go client knows of it,
// and what the HTTP API has besides.
type HostStats struct {
	api.HostStats
	CPU       []*ProcessorStats
	Timestamp int64 // nanoseconds since 1970
}

// ProcessorStats is what a processor does, in percent and in MHz.
type ProcessorStats struct {
	api.HostCPUStats
	TotalPercent float64
	TotalTicks   float64
}

// hostSample is how long the processors are watched for the stats of the host.
const hostSample = 100 * time.Millisecond

// HostStats measures the machine. It takes a moment.
func (c *Client) HostStats(ctx context.Context) (*HostStats, error) {
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	stats := &HostStats{Timestamp: time.Now().UnixNano()}
	stats.Memory = &api.HostMemoryStats{
		Total: memory.Total, Available: memory.Available, Free: memory.Free,
		Used: usedMemory(memory),
	}
	if stats.Uptime, err = host.UptimeWithContext(ctx); err != nil {
		return nil, err
	}
	if stats.CPU, err = processors(ctx); err != nil {
		return nil, err
	}
	if s := c.current(); s != nil {
		for _, one := range stats.CPU {
			one.TotalTicks = one.TotalPercent / 100 * float64(s.machine.MHz)
			stats.CPUTicksConsumed += one.TotalTicks
		}
	}
	if stats.DiskStats, err = disks(ctx); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.options.Dir, 0o711); err != nil { // nothing may have been in it yet
		return nil, err
	}
	own, err := diskOf(ctx, c.options.Dir, "", "")
	if err != nil {
		return nil, err
	}
	stats.AllocDirStats = own
	return stats, nil
}

// usedMemory is what is neither free nor a cache, in bytes, as the real program
// counts it where the system tells its caches.
func usedMemory(m *mem.VirtualMemoryStat) uint64 {
	if m.Cached == 0 {
		return m.Used
	}
	return m.Total - m.Free - m.Buffers - m.Cached
}

// processors measures each processor for a moment.
func processors(ctx context.Context) ([]*ProcessorStats, error) {
	before, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	select {
	case <-time.After(hostSample):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	after, err := cpu.TimesWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	var all []*ProcessorStats
	for i := range min(len(before), len(after)) {
		all = append(all, compareTimes(before[i], after[i]))
	}
	return all, nil
}

// compareTimes says what a processor has done between two measurements, in percent.
func compareTimes(before, after cpu.TimesStat) *ProcessorStats {
	stats := &ProcessorStats{}
	stats.CPU = after.CPU
	user, system, idle := after.User-before.User, after.System-before.System, after.Idle-before.Idle
	total := total(after) - total(before)
	if total <= 0 {
		stats.Idle = 100
		return stats
	}
	stats.User, stats.System, stats.Idle = user/total*100, system/total*100, idle/total*100
	stats.TotalPercent = 100 - stats.Idle
	return stats
}

func total(t cpu.TimesStat) float64 {
	return t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal
}

// disks measures the disks of the machine.
func disks(ctx context.Context) ([]*api.HostDiskStats, error) {
	partitions, err := disk.PartitionsWithContext(ctx, false)
	if err != nil {
		return nil, err
	}
	var all []*api.HostDiskStats
	for _, p := range partitions {
		if stats, err := diskOf(ctx, p.Mountpoint, p.Device, p.Mountpoint); err == nil { // some are not to be asked
			all = append(all, stats)
		}
	}
	return all, nil
}

func diskOf(ctx context.Context, path, device, mountpoint string) (*api.HostDiskStats, error) {
	usage, err := disk.UsageWithContext(ctx, path)
	if err != nil {
		return nil, err
	}
	return &api.HostDiskStats{
		Device: device, Mountpoint: mountpoint, Size: usage.Total, Used: usage.Used, Available: usage.Free,
		UsedPercent: usage.UsedPercent, InodesUsedPercent: usage.InodesUsedPercent,
	}, nil
}
