package metrics

import "runtime"

// Process are the gauges of the process that the agent is in: their names begin
// with runtime.
func Process() []Gauge {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return []Gauge{
		{Name: "runtime.alloc_bytes", Value: float32(memory.Alloc)},
		{Name: "runtime.free_count", Value: float32(memory.Frees)},
		{Name: "runtime.heap_objects", Value: float32(memory.HeapObjects)},
		{Name: "runtime.malloc_count", Value: float32(memory.Mallocs)},
		{Name: "runtime.num_goroutines", Value: float32(runtime.NumGoroutine())},
		{Name: "runtime.sys_bytes", Value: float32(memory.Sys)},
		{Name: "runtime.total_gc_pause_ns", Value: float32(memory.PauseTotalNs)},
		{Name: "runtime.total_gc_runs", Value: float32(memory.NumGC)},
	}
}
