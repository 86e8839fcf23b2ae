package place

import (
	"iter"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// pool has the nodes that take new allocations of a job, and goes round them.
type pool struct {
	nodes     []*state.Node  // by ID
	available map[string]int // how many, by datacenter

	shuffled []*state.Node
	drawn    int // how many of shuffled are in their place
	next     int // where the next round begins
}

func newPool(view *state.View, job *api.Job) *pool {
	p := &pool{available: map[string]int{}}
	in := datacenters(job.Datacenters)
	for node := range view.NodesOfPool(*job.NodePool) {
		if node.Ready() && in(node.Datacenter) {
			p.nodes = append(p.nodes, node)
			p.available[node.Datacenter]++
		}
	}
	p.shuffled = append(p.shuffled, p.nodes...)
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
