package place

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// preemptionDistance is by how much the priority of a job has to be above that
// of what it preempts.
const preemptionDistance = 10

// preempts tells whether the job may have others evicted.
func (s *Selector) preempts() bool {
	switch c := s.config.PreemptionConfig; *s.job.Type {
	case api.JobTypeSystem:
		return c.SystemSchedulerEnabled
	case api.JobTypeSysbatch:
		return c.SysBatchSchedulerEnabled
	case api.JobTypeBatch:
		return c.BatchSchedulerEnabled
	default:
		return c.ServiceSchedulerEnabled
	}
}

// evictions are allocations of a node that are to make room.
type evictions struct {
	all []*state.Allocation
	ids map[string]bool
}

func evict(list []*state.Allocation) evictions {
	e := evictions{all: list, ids: map[string]bool{}}
	for _, a := range list {
		e.ids[a.ID] = true
	}
	return e
}

// from is the usage of a node without what is evicted.
func (e evictions) from(usage state.Usage) *state.Usage {
	for _, a := range e.all {
		usage.Remove(a)
	}
	return &usage
}

// offerWithEvictions is the offer of a node where others make room: as few and
// as unimportant ones as possible. It is nil when all that may go is not enough.
func (s *Selector) offerWithEvictions(node *state.Node, g *group, short *lack) *offer {
	may := s.preemptible(node.ID)
	var chosen []*state.Allocation
	need := g.amount
	for short != nil {
		next := s.choose(node, g, short, may, need)
		if next == nil {
			return nil
		}
		chosen = append(chosen, next...)
		for _, a := range next {
			need = rest(need, a.Amount())
			may = slices.DeleteFunc(may, func(one *state.Allocation) bool { return one == a })
		}
		_, short = s.offer(node, g, evict(chosen))
	}
	return s.offerWithFewest(node, g, chosen)
}

// preemptible are the allocations of a node that the job may have evicted.
func (s *Selector) preemptible(node string) []*state.Allocation {
	return slices.DeleteFunc(s.allocationsOn(node), func(a *state.Allocation) bool {
		return *a.Job.Priority > *s.job.Priority-preemptionDistance || a.ServerTerminal()
	})
}

// choose finds who is to go next for what is short; nil when nobody can help.
func (s *Selector) choose(node *state.Node, g *group, short *lack, may []*state.Allocation, need state.Amount) []*state.Allocation {
	switch {
	case len(short.holders) > 0:
		if slices.ContainsFunc(short.holders, func(a *state.Allocation) bool { return !slices.Contains(may, a) }) {
			return nil
		}
		return short.holders
	case strings.HasPrefix(short.dimension, networkDimension):
		return nil
	case short.dimension == dimensionDevices:
		may = only(may, func(a *state.Allocation) bool { return g.wantsDeviceOf(node, a) })
	case short.dimension == dimensionCores:
		may = only(may, func(a *state.Allocation) bool { return len(a.Cores) > 0 })
	}
	if len(may) == 0 {
		return nil
	}
	return []*state.Allocation{slices.MinFunc(may, func(a, b *state.Allocation) int {
		return cmp.Or(
			cmp.Compare(*a.Job.Priority, *b.Job.Priority),
			cmp.Compare(distance(need, a.Amount()), distance(need, b.Amount())))
	})}
}

// only are those of which something is true.
func only(all []*state.Allocation, is func(*state.Allocation) bool) []*state.Allocation {
	return slices.DeleteFunc(slices.Clone(all), func(a *state.Allocation) bool { return !is(a) })
}

// wantsDeviceOf tells whether an allocation has a device that would meet a request of the group.
func (g *group) wantsDeviceOf(node *state.Node, a *state.Allocation) bool {
	for _, task := range a.AllocatedResources.Tasks {
		for _, held := range task.Devices {
			for _, device := range node.NodeResources.Devices {
				same := device.Vendor == held.Vendor && device.Type == held.Type && device.Name == held.Name
				if same && slices.ContainsFunc(g.devices, func(r deviceRequest) bool { return r.matches(device) }) {
					return true
				}
			}
		}
	}
	return false
}

// offerWithFewest drops evictions that others make needless: the one that is
// furthest from what is needed may be enough alone.
func (s *Selector) offerWithFewest(node *state.Node, g *group, chosen []*state.Allocation) *offer {
	slices.SortStableFunc(chosen, func(a, b *state.Allocation) int {
		return cmp.Compare(distance(g.amount, b.Amount()), distance(g.amount, a.Amount()))
	})
	for number := 1; number <= len(chosen); number++ {
		if o, short := s.offer(node, g, evict(chosen[:number])); short == nil {
			o.preempted = chosen[:number]
			return o
		}
	}
	return nil
}

// rest is what is still needed with what an allocation gives; never less than nothing.
func rest(need, given state.Amount) state.Amount {
	left := need.Minus(given)
	return state.Amount{CPU: max(left.CPU, 0), MemoryMB: max(left.MemoryMB, 0), DiskMB: max(left.DiskMB, 0)}
}

// distance is how far what an allocation has is from what is needed.
func distance(need, has state.Amount) float64 {
	part := func(need, has int64) float64 {
		if need <= 0 {
			return 0
		}
		return float64(need-has) / float64(need)
	}
	return math.Hypot(math.Hypot(part(need.CPU, has.CPU), part(need.MemoryMB, has.MemoryMB)), part(need.DiskMB, has.DiskMB))
}

// preemptionScore is the higher the less important what is preempted is. The
// constants are those of the curve that the real program's scores lie on.
func preemptionScore(preempted []*state.Allocation) float64 {
	const rate, middle = 0.0048, 2048
	var highest, sum int
	for _, a := range preempted {
		highest = max(highest, *a.Job.Priority)
		sum += *a.Job.Priority
	}
	weight := float64(highest) + float64(sum)/float64(max(highest, 1))
	return 1 / (1 + math.Exp(rate*(weight-middle)))
}
