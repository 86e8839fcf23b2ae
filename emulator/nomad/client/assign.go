package client

import (
	"os"
	"path/filepath"

	"github.com/hashicorp/nomad/api"
)

// assign takes in all allocations that the servers have for the node: new ones
// are run, known ones updated, and those that are gone forgotten.
func (s *session) assign(allocs []*api.Allocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	there := make(map[string]bool, len(allocs))
	for _, alloc := range allocs {
		there[alloc.ID] = true
		if a := s.runners[alloc.ID]; a != nil {
			if a.differs(alloc) {
				a.update(alloc)
			}
			continue
		}
		s.take(alloc)
	}
	for id, a := range s.runners {
		if !there[id] {
			delete(s.runners, id)
			s.running.Go(func() { s.forget(a) })
		}
	}
}

// differs reports whether the servers have changed what is to become of the
// allocation. What they were told by the node itself is no such change.
func (a *allocRunner) differs(alloc *api.Allocation) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.alloc != alloc && a.alloc.AllocModifyIndex != alloc.AllocModifyIndex
}

// take takes an allocation that the node does not have.
func (s *session) take(alloc *api.Allocation) {
	switch {
	case isTerminal(alloc.ClientStatus):
	case alloc.DesiredStatus != api.AllocDesiredStatusRun:
		s.reports.addNeverRun(alloc)
	case alloc.Job == nil || groupOf(alloc) == nil:
		s.log.Error("allocation has no such group in its job", "allocation", alloc.ID, "group", alloc.TaskGroup)
	default:
		a := newAllocRunner(s, alloc)
		s.runners[alloc.ID] = a
		s.reports.add(a)
		s.running.Go(a.run)
	}
}

// forget ends an allocation that the servers do not have any more, and removes
// its directory.
func (s *session) forget(a *allocRunner) {
	a.stop()
	<-a.over
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return
	}
	if err := a.dir.Remove(); err != nil {
		s.log.Warn("directory of an allocation stays", "allocation", a.latest().ID, "error", err)
	}
}

// runner is what runs an allocation; nil without.
func (s *session) runner(id string) *allocRunner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runners[id]
}

// removeLeftDirs removes the directories of allocations that the servers do not
// have any more, of an earlier life of the node.
func (s *session) removeLeftDirs(allocs []*api.Allocation) {
	known := make(map[string]bool, len(allocs))
	for _, alloc := range allocs {
		known[alloc.ID] = true
	}
	root := filepath.Join(s.options.Dir, "alloc")
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if known[entry.Name()] {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, entry.Name())); err != nil {
			s.log.Warn("directory of an earlier allocation stays", "allocation", entry.Name(), "error", err)
		}
	}
}
