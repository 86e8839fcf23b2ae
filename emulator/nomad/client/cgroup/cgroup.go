// Package cgroup puts the processes of tasks under limits of memory and
// processor time, with the control groups of Linux, and measures them. The
// driver exec uses it.
package cgroup

// Limits are what a task may use. Zero is no limit.
type Limits struct {
	MemoryBytes int64
	CPUShares   int64 // against those of others, 1024 for a whole processor
}

// Usage is what the processes of a group use.
type Usage struct {
	RSS, Cache, Swap, Current, Max, Kernel, KernelMax uint64 // bytes
}
