package place

import (
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Pools remembers which nodes take the allocations of a job, for as long as no
// node changes. The zero value is ready. It may be used from any goroutine.
type Pools struct {
	mu    sync.Mutex
	index uint64 // of the nodes' table that all of known are of
	known map[string]ready
}

// ready are the nodes that take new allocations of a job. They are not changed.
type ready struct {
	nodes     []*state.Node  // by ID
	available map[string]int // how many, by datacenter
}

// of finds the nodes for a job as the view has them.
func (p *Pools) of(view *state.View, job *api.Job) ready {
	key := strings.Join(append([]string{*job.NodePool}, job.Datacenters...), "\x00")
	index := view.Index(state.TableNodes)
	p.mu.Lock()
	defer p.mu.Unlock()
	if index > p.index || p.known == nil {
		p.index, p.known = index, map[string]ready{}
	}
	if known, is := p.known[key]; is && index == p.index {
		return known
	}
	found := find(view, job)
	if index == p.index {
		p.known[key] = found
	}
	return found
}

func find(view *state.View, job *api.Job) ready {
	r := ready{available: map[string]int{}}
	in := datacenters(job.Datacenters)
	for node := range view.NodesOfPool(*job.NodePool) {
		if node.Ready() && in(node.Datacenter) {
			r.nodes = append(r.nodes, node)
			r.available[node.Datacenter]++
		}
	}
	return r
}

// pool goes round the nodes that take new allocations of a job.
type pool struct {
	ready
	shuffled []*state.Node
	drawn    int // how many of shuffled are in their place
	next     int // where the next round begins
}

func newPool(view *state.View, job *api.Job, pools *Pools) *pool {
	p := &pool{ready: pools.of(view, job)}
	p.shuffled = slices.Clone(p.nodes)
	return p
}

// round visits every node once, in an order that is random the first time and
// then stays. The next round begins where this one was left.
func (p *pool) round(random *rand.Rand) iter.Seq[*state.Node] {
	return func(yield func(*state.Node) bool) {
		for range len(p.shuffled) {
			node := p.draw(random, p.next)
			p.next = (p.next + 1) % len(p.shuffled)
			if !yield(node) {
				return
			}
		}
	}
}

// draw is the node at a place of the random order, which is made as far as it is needed.
func (p *pool) draw(random *rand.Rand, at int) *state.Node {
	for ; p.drawn <= at; p.drawn++ {
		other := p.drawn + random.IntN(len(p.shuffled)-p.drawn)
		p.shuffled[p.drawn], p.shuffled[other] = p.shuffled[other], p.shuffled[p.drawn]
	}
	return p.shuffled[at]
}

// datacenters tells whether a datacenter is one of those that a job names; "*"
// in a name stands for any text.
func datacenters(names []string) func(string) bool {
	exact := map[string]bool{}
	var patterns []string
	for _, name := range names {
		if name == "*" {
			return func(string) bool { return true }
		}
		if strings.Contains(name, "*") {
			patterns = append(patterns, strings.ReplaceAll(regexp.QuoteMeta(name), `\*`, ".*"))
		}
		exact[name] = true
	}
	if patterns == nil {
		return func(name string) bool { return exact[name] }
	}
	pattern := regexp.MustCompile("^(?s:" + strings.Join(patterns, "|") + ")$")
	return func(name string) bool { return exact[name] || pattern.MatchString(name) }
}
