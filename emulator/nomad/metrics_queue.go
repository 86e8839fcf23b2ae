package nomad

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"
)

// queueCounts are how many evaluations the queue has.
type queueCounts struct {
	kinds   map[string]kindCounts // by the type of their job
	waiting int                   // for a time
}

// kindCounts are those of one type of jobs.
type kindCounts struct {
	ready, processed int
}

func (c queueCounts) ready() (total int) {
	for _, counts := range c.kinds {
		total += counts.ready
	}
	return total
}

func (c queueCounts) processed() (total int) {
	for _, counts := range c.kinds {
		total += counts.processed
	}
	return total
}

// count tells how many evaluations there are. The types that have a scheduler
// are all there.
func (q *queue) count(now time.Time) queueCounts {
	q.mu.Lock()
	defer q.mu.Unlock()
	counts := queueCounts{kinds: map[string]kindCounts{}}
	for _, kind := range schedulerTypes {
		counts.kinds[kind] = kindCounts{}
	}
	for _, e := range q.pending {
		kind := counts.kinds[e.Type]
		switch {
		case e.ID == q.taken:
			kind.processed++
		case e.WaitUntil.After(now):
			counts.waiting++
		default:
			kind.ready++
		}
		counts.kinds[e.Type] = kind
	}
	return counts
}

// blockedNow are the evaluations that wait for room, oldest first.
func (q *queue) blockedNow() []*api.Evaluation {
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []*api.Evaluation
	for _, e := range q.blocked {
		list = append(list, e)
	}
	slices.SortFunc(list, byCreation)
	return list
}
