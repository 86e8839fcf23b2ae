package place_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// large is a region with room for 10,000 instances.
func large(b *testing.B, nodes int) *region {
	var all []*state.Node
	for i := range nodes {
		all = append(all, newNode(nodeName(i), inZone(fmt.Sprint("dc", i%3)), func(n *state.Node) {
			n.NodeResources.Cpu.CpuShares, n.NodeResources.Memory.MemoryMB, n.NodeResources.Disk.DiskMB = 10_000_000, 10_000_000, 10_000_000
		}))
	}
	return newRegion(b, all...)
}

// BenchmarkPlace places 10,000 instances, as one job and as one job each, with
// the state's part in it.
func BenchmarkPlace(b *testing.B) {
	const instances = 10_000
	for _, nodes := range []int{3, 1000} {
		for _, jobs := range []int{1, 100, instances} {
			b.Run(fmt.Sprintf("%d nodes, %d jobs", nodes, jobs), func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					r := large(b, nodes)
					b.StartTimer()
					for i := range jobs {
						r.runAll(newJob(fmt.Sprint("job", i), takes(1, 10), times(instances/jobs)))
					}
				}
				b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/10,000")
			})
		}
	}
	b.Run("1000 nodes, spread, 1 job", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			r := large(b, 1000)
			b.StartTimer()
			r.runAll(newJob("job", takes(1, 10), times(1000), spreadOver("${node.datacenter}")))
		}
	})
	b.Run("3 nodes, dynamic ports, 1 job", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			r := large(b, 3)
			b.StartTimer()
			r.runAll(newJob("job", takes(1, 10), times(10_000), networked(&api.NetworkResource{DynamicPorts: []api.Port{{Label: "http"}}})))
		}
	})
}

func (r *region) runAll(job *api.Job) {
	selector := r.selector(job)
	group := job.TaskGroups[0]
	placed := make([]*state.Allocation, 0, *group.Count)
	for i := range *group.Count {
		placement, metric := selector.Place(place.Request{Group: group, Name: "x[0]"})
		if placement == nil {
			require.NotNil(r.t, placement, "%+v", metric)
		}
		a := allocation(job, group, i, placement)
		selector.Add(a)
		placed = append(placed, a)
	}
	r.write(func(tx *state.Tx) {
		for _, a := range placed {
			tx.UpsertAllocation(a)
		}
	})
}
