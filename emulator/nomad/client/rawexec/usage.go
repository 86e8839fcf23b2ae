package rawexec

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/drydock/drydock/emulator/nomad/client/cgroup"
)

// leastSample is the shortest time that a share of the processor is measured over.
const leastSample = 500 * time.Millisecond

// usage measures a process group. The share of the processor is over the time
// since the measurement before.
type usage struct {
	began time.Time

	mu     sync.Mutex
	at     time.Time
	before map[int32]times // by process
}

// times is how long a process has used the processor, in seconds.
type times struct{ user, system float64 }

// measured are the names of what is measured.
func memoryMeasured() []string { return []string{"RSS", "Swap"} }
func cpuMeasured() []string    { return []string{"System Mode", "User Mode", "Percent"} }

// measure measures the group now.
func (u *usage) measure(ctx context.Context, group int) (*api.TaskResourceUsage, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	members, err := membersOf(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("list the processes of the task: %w", err)
	}
	since := now.Sub(u.at)
	if u.at.IsZero() {
		since = now.Sub(u.began)
	}
	total := newUsage()
	result := &api.TaskResourceUsage{ResourceUsage: total, Timestamp: now.UnixNano(), Pids: map[string]*api.ResourceUsage{}}
	used := map[int32]times{}
	for _, p := range members {
		one, spent := measureProcess(ctx, p, u.before[p.Pid], since)
		used[p.Pid] = spent
		result.Pids[strconv.Itoa(int(p.Pid))] = one
		add(total, one)
	}
	if since >= leastSample {
		u.at, u.before = now, used
	}
	return result, nil
}

// membersOf are the processes of a group.
func membersOf(ctx context.Context, group int) ([]*process.Process, error) {
	pids, err := process.PidsWithContext(ctx)
	if err != nil {
		return nil, err
	}
	var members []*process.Process
	for _, pid := range pids {
		if of, err := syscall.Getpgid(int(pid)); err == nil && of == group {
			members = append(members, &process.Process{Pid: pid})
		}
	}
	return members, nil
}

// measureProcess measures one process; one that ends meanwhile uses nothing.
func measureProcess(ctx context.Context, p *process.Process, before times, since time.Duration) (*api.ResourceUsage, times) {
	one := newUsage()
	if memory, err := p.MemoryInfoWithContext(ctx); err == nil {
		one.MemoryStats.RSS, one.MemoryStats.Swap = memory.RSS, memory.Swap
	}
	spent := before
	if now, err := p.TimesWithContext(ctx); err == nil {
		spent = times{user: now.User, system: now.System}
		one.CpuStats.UserMode = share(spent.user-before.user, since)
		one.CpuStats.SystemMode = share(spent.system-before.system, since)
		one.CpuStats.Percent = one.CpuStats.UserMode + one.CpuStats.SystemMode
	}
	return one, spent
}

// share is how much of one processor, in percent, some seconds are.
func share(seconds float64, of time.Duration) float64 {
	if of <= 0 {
		return 0
	}
	return seconds / of.Seconds() * 100
}

func newUsage() *api.ResourceUsage {
	return &api.ResourceUsage{
		MemoryStats: &api.MemoryStats{Measured: memoryMeasured()},
		CpuStats:    &api.CpuStats{Measured: cpuMeasured()},
	}
}

func add(total, one *api.ResourceUsage) {
	total.MemoryStats.RSS += one.MemoryStats.RSS
	total.MemoryStats.Swap += one.MemoryStats.Swap
	total.CpuStats.UserMode += one.CpuStats.UserMode
	total.CpuStats.SystemMode += one.CpuStats.SystemMode
	total.CpuStats.Percent += one.CpuStats.Percent
}

// memoryOf is what a control group measures of memory.
func memoryOf(u cgroup.Usage) *api.MemoryStats {
	return &api.MemoryStats{
		RSS: u.RSS, Cache: u.Cache, Swap: u.Swap, Usage: u.Current, MaxUsage: u.Max,
		KernelUsage: u.Kernel, KernelMaxUsage: u.KernelMax,
		Measured: []string{"RSS", "Cache", "Swap", "Usage", "Max Usage", "Kernel Usage", "Kernel Max Usage"},
	}
}
