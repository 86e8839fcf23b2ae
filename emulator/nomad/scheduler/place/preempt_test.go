package place_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// lesser is a job that runs already.
type lesser struct {
	priority, cpu, memory int
	change                []func(*api.Job)
}

// TestWhoIsPreempted has what the real program does on a node of 4000 MHz and 4096 MB.
func TestWhoIsPreempted(t *testing.T) {
	t.Parallel()
	port := func(numbers ...int) func(*api.Job) {
		network := &api.NetworkResource{}
		for _, number := range numbers {
			network.ReservedPorts = append(network.ReservedPorts, api.Port{Label: nodeName(number), Value: number})
		}
		return networked(network)
	}
	for _, test := range []struct {
		name        string
		there       map[string]lesser
		cpu, memory int
		change      func(*api.Job)
		preempted   []string // nil when there is no place
		score       float64
	}{
		{"far below", map[string]lesser{"a": {priority: 1, cpu: 3000, memory: 100}}, 2000, 100, nil, []string{"a"}, 0.9999456928307114},
		{"below", map[string]lesser{"a": {priority: 90, cpu: 3000, memory: 100}}, 2000, 100, nil, []string{"a"}, 0.9999167517334658},
		{"not far enough below", map[string]lesser{"a": {priority: 91, cpu: 3000, memory: 100}}, 2000, 100, nil, nil, 0},
		{"two", map[string]lesser{"a": {priority: 20, cpu: 2000, memory: 100}, "b": {priority: 40, cpu: 2000, memory: 100}}, 4000, 100, nil, []string{"a", "b"}, 0.9999343560847412},
		{"the least important", map[string]lesser{"a": {priority: 20, cpu: 1000, memory: 1000}, "b": {priority: 30, cpu: 1500, memory: 1500}, "c": {priority: 91, cpu: 500, memory: 500}}, 2000, 2000, nil, []string{"a"}, 0.9999405074518432},
		{"the closest", map[string]lesser{"a": {priority: 20, cpu: 1000, memory: 1000}, "b": {priority: 20, cpu: 1300, memory: 1000}, "c": {priority: 20, cpu: 1700, memory: 1000}}, 1200, 1000, nil, []string{"b"}, 0.9999405074518432},
		{"the closest to what is left", map[string]lesser{"a": {priority: 20, cpu: 1500, memory: 1500}, "b": {priority: 20, cpu: 600, memory: 600}, "c": {priority: 20, cpu: 1850, memory: 1850}}, 2400, 2400, nil, []string{"b", "c"}, 0.9999402212182716},
		{"the closest in proportion", map[string]lesser{"a": {priority: 20, cpu: 1200, memory: 600}, "b": {priority: 20, cpu: 1700, memory: 100}, "f": {priority: 95, cpu: 1100, memory: 10}}, 1000, 100, nil, []string{"b"}, 0.9999405074518432},
		{"with what is free", map[string]lesser{"a": {priority: 20, cpu: 1500, memory: 100}, "b": {priority: 20, cpu: 1000, memory: 100}}, 2500, 100, nil, []string{"a"}, 0.9999405074518432},
		{"one that makes others needless", map[string]lesser{"a": {priority: 20, cpu: 400, memory: 400}, "b": {priority: 30, cpu: 3500, memory: 3500}}, 1500, 1500, nil, []string{"b"}, 0.9999375823468529},
		{"less important ones first", map[string]lesser{"a": {priority: 20, cpu: 500, memory: 500}, "b": {priority: 20, cpu: 500, memory: 500}, "c": {priority: 30, cpu: 3000, memory: 3000}}, 1000, 1000, nil, []string{"a", "b"}, 0.9999402212182716},
		{"the holder of a port", map[string]lesser{"a": {20, 10, 10, []func(*api.Job){port(9101)}}, "b": {20, 10, 10, []func(*api.Job){port(9102)}}}, 10, 10, port(9101), []string{"a"}, 0.9999405074518432},
		{"the holders of two ports", map[string]lesser{"a": {20, 10, 10, []func(*api.Job){port(9101)}}, "b": {20, 10, 10, []func(*api.Job){port(9102)}}}, 10, 10, port(9101, 9102), []string{"a", "b"}, 0.9999402212182716},
		{"the holder of a port is too important", map[string]lesser{"a": {95, 10, 10, []func(*api.Job){port(9101)}}, "b": {20, 10, 10, []func(*api.Job){port(9102)}}}, 10, 10, port(9101, 9102), nil, 0},
		{"for a port and for room", map[string]lesser{"a": {20, 10, 10, []func(*api.Job){port(9101)}}, "b": {priority: 20, cpu: 3900, memory: 10}}, 2000, 10, port(9101), []string{"a", "b"}, 0.9999402212182716},
		{"the holder of a device", map[string]lesser{"a": {20, 10, 10, []func(*api.Job){asksDevice(&api.RequestedDevice{Name: "gpu"})}}, "b": {priority: 10, cpu: 10, memory: 10}}, 10, 10,
			asksDevice(&api.RequestedDevice{Name: "gpu"}), []string{"a"}, 0.9999405074518432},
		{"nobody", map[string]lesser{"a": {priority: 20, cpu: 10, memory: 10}}, 5000, 10, nil, nil, 0},
		{"nobody needs to", map[string]lesser{"a": {priority: 20, cpu: 10, memory: 10}}, 10, 10, nil, []string{}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, newNode("1", withDevices("a")))
			r.config.PreemptionConfig.ServiceSchedulerEnabled = true
			for _, id := range slices.Sorted(maps.Keys(test.there)) {
				of := test.there[id]
				r.run(newJob(id, append(of.change, takes(of.cpu, of.memory), prioritized(of.priority))...))
			}
			if test.change == nil {
				test.change = func(*api.Job) {}
			}
			job := newJob("job", takes(test.cpu, test.memory), prioritized(100), test.change)
			placement, metric := r.selector(job).Place(requestOf(job))
			require.Equal(t, test.preempted == nil, placement == nil)
			if placement == nil {
				assert.Equal(t, 1, metric.NodesExhausted)
				return
			}
			preempted := []string{}
			for _, a := range placement.Preempted {
				preempted = append(preempted, a.JobID)
			}
			assert.ElementsMatch(t, test.preempted, preempted)
			assert.InDelta(t, test.score, scoresOf(metric, "1")["preemption"], 1e-12)
		})
	}
}

func TestPreemptionIsSetByTypeOfJob(t *testing.T) {
	t.Parallel()
	for kind, enable := range map[string]func(*api.PreemptionConfig){
		"service":  func(c *api.PreemptionConfig) { c.ServiceSchedulerEnabled = true },
		"batch":    func(c *api.PreemptionConfig) { c.BatchSchedulerEnabled = true },
		"system":   func(c *api.PreemptionConfig) { c.SystemSchedulerEnabled = true },
		"sysbatch": func(c *api.PreemptionConfig) { c.SysBatchSchedulerEnabled = true },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, newNode("1"))
			r.run(newJob("low", takes(4000, 64), prioritized(1)))
			job := newJob("job", func(job *api.Job) { job.Type = &kind })
			request := requestOf(job)
			if kind == "system" || kind == "sysbatch" {
				request.Node = "1"
			}
			r.config.PreemptionConfig = api.PreemptionConfig{}
			placement, _ := r.selector(job).Place(request)
			assert.Nil(t, placement)
			enable(&r.config.PreemptionConfig)
			placement, _ = r.selector(job).Place(request)
			require.NotNil(t, placement)
			assert.Len(t, placement.Preempted, 1)
		})
	}
}

func TestWhatIsToEndIsNotPreempted(t *testing.T) {
	t.Parallel()
	r := newRegion(t, newNode("1"))
	r.config.PreemptionConfig.ServiceSchedulerEnabled = true
	a := r.run(newJob("low", takes(4000, 64), prioritized(1)))[0]
	r.write(func(tx *state.Tx) {
		tx.UpdateAllocation(tx.Allocation(a.ID), func(a *state.Allocation) { a.DesiredStatus = "evict" })
	})
	r.fail(newJob("job"))
}
