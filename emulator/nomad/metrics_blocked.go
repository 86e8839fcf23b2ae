package nomad

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/metrics"
)

// need is what has been asked for and was nowhere.
type need struct{ cpu, memory int }

func (n need) plus(more need) need { return need{n.cpu + more.cpu, n.memory + more.memory} }

// needOf adds up what the tasks of a group could not have.
func needOf(failed *api.AllocationMetric) (total need) {
	for _, exhausted := range failed.ResourcesExhausted {
		total = total.plus(need{*exhausted.CPU, *exhausted.MemoryMB})
	}
	return total
}

// blockedGauges tell of the evaluations that wait for room, and how much of
// what they are for, by job and by where it could be.
func blockedGauges(blocked []*api.Evaluation) []metrics.Gauge {
	type job struct{ namespace, id string }
	escaped, ofJobs, ofPlaces := 0, map[job]need{}, map[nodeKind]need{}
	for _, e := range blocked {
		if e.EscapedComputedClass {
			escaped++
		}
		for _, failed := range e.FailedTGAllocs {
			needs, of := needOf(failed), job{e.Namespace, e.JobID}
			ofJobs[of] = ofJobs[of].plus(needs)
			for _, kind := range kindsOf(failed) {
				ofPlaces[kind] = ofPlaces[kind].plus(needs)
			}
		}
	}
	list := []metrics.Gauge{
		gauge("total_blocked", len(blocked), nil), gauge("total_escaped", escaped, nil), gauge("total_quota_limit", 0, nil),
	}
	for of, needs := range ofJobs {
		labels := map[string]string{"namespace": of.namespace, "job": of.id}
		list = append(list, gauge("job.cpu", needs.cpu, labels), gauge("job.memory", needs.memory, labels))
	}
	for kind, needs := range ofPlaces {
		labels := map[string]string{"datacenter": kind.datacenter, "node_class": kind.class, "node_pool": kind.pool}
		list = append(list, gauge("cpu", needs.cpu, labels), gauge("memory", needs.memory, labels))
	}
	return under("nomad.blocked_evals.", list)
}

// nodeKind is a kind of nodes that there may be more of.
type nodeKind struct{ datacenter, class, pool string }

// kindsOf are the kinds of the nodes without room.
func kindsOf(failed *api.AllocationMetric) []nodeKind {
	classes := slices.Collect(maps.Keys(failed.ClassExhausted))
	if len(classes) == 0 {
		classes = []string{""} // nodes without a class are not counted by it
	}
	var kinds []nodeKind
	for datacenter, nodes := range failed.NodesAvailable {
		for _, class := range classes {
			if nodes > 0 {
				kinds = append(kinds, nodeKind{datacenter, class, failed.NodePool})
			}
		}
	}
	return kinds
}
