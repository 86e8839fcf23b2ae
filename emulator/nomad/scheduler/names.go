package scheduler

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// names hands out the names of a group's allocations, "job.group[3]".
type names struct {
	prefix string // "job.group"
	taken  map[int]bool
	next   int // all below are taken
}

func newNames(job, group string) *names {
	return &names{prefix: job + "." + group, taken: map[int]bool{}}
}

// take marks the index of an allocation as in use.
func (n *names) take(a *state.Allocation) { n.taken[indexOf(a.Name)] = true }

// release gives up the index of an allocation that ends.
func (n *names) release(a *state.Allocation) {
	index := indexOf(a.Name)
	delete(n.taken, index)
	n.next = min(n.next, index)
}

// unused is the name with the lowest index that is not in use, which it is from now on.
func (n *names) unused() string {
	for n.taken[n.next] {
		n.next++
	}
	n.taken[n.next] = true
	return fmt.Sprintf("%s[%d]", n.prefix, n.next)
}

// indexOf reads the index out of an allocation's name.
func indexOf(name string) int {
	open := strings.LastIndexByte(name, '[')
	index, err := strconv.Atoi(strings.TrimSuffix(name[open+1:], "]"))
	if err != nil {
		return 0 // nobody has given it a name of ours
	}
	return index
}
