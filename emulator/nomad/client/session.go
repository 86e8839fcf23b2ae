package client

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"
)

// serverRetry is the time before a server is asked again that did not answer.
const serverRetry = time.Second

// session is the life of a node between its start and its end.
type session struct {
	*Client
	node     atomic.Pointer[api.Node] // with what was found out
	nodeTurn sync.Mutex               // held by whoever changes it
	machine  *Machine
	secret   string
	reports  *reports

	ctx     context.Context
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	running sync.WaitGroup // the alloc runners

	mu      sync.Mutex // guards runners
	closed  bool
	runners map[string]*allocRunner
}

// newSession registers the node and starts what it consists of.
func (c *Client) newSession(ctx context.Context) (*session, error) {
	machine := c.options.Machine
	if machine == nil {
		var err error
		if machine, err = FindMachine(ctx, c.options.Dir); err != nil {
			return nil, err
		}
	}
	node := c.fingerprint(ctx, machine)
	s := &session{Client: c, machine: machine, secret: uuid.NewString(), runners: map[string]*allocRunner{}}
	s.node.Store(node)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.reports = newReports(s)
	if err := c.options.Server.RegisterNode(node, s.secret); err != nil {
		s.cancel()
		return nil, fmt.Errorf("register: %w", err)
	}
	s.loops.Go(s.heartbeats)
	s.loops.Go(s.follow)
	s.loops.Go(s.reports.send)
	s.loops.Go(s.watchDrivers)
	return s, nil
}

// close ends the node, of which the servers hear nothing any more.
func (s *session) close(gracefully bool) {
	s.mu.Lock()
	s.closed = true
	runners := make([]*allocRunner, 0, len(s.runners))
	for _, a := range s.runners {
		runners = append(runners, a)
	}
	s.mu.Unlock()
	if gracefully {
		if err := s.reports.sendOne(); err != nil {
			s.log.Debug("the last report is not heard", "node", s.name(), "error", err)
		}
	}
	s.cancel()
	for _, a := range runners {
		a.halt(gracefully)
	}
	s.running.Wait()
	s.loops.Wait()
}

func (s *session) name() string { return s.options.Node.Name }

func (s *session) allocDir(id string) string { return filepath.Join(s.options.Dir, "alloc", id) }

// heartbeats says that the node is there, for as long as it is. When it was not
// heard for a while it registers anew, and tells all it knows.
func (s *session) heartbeats() {
	missed, heard := false, time.Now()
	for {
		wait, err := s.options.Server.Heartbeat(s.options.Node.ID)
		switch {
		case err != nil:
			missed, wait = true, serverRetry
			s.stopUnheard(time.Since(heard))
			s.log.Debug("heartbeat is not heard", "node", s.name(), "error", err)
		case missed:
			missed = !s.reconnect()
		}
		if err == nil {
			heard = time.Now()
		}
		if !s.pause(wait / 2) {
			return
		}
	}
}

// reconnect registers the node anew and reports whether that was heard.
func (s *session) reconnect() bool {
	if err := s.options.Server.RegisterNode(s.node.Load(), s.secret); err != nil {
		s.log.Debug("node is not registered again", "node", s.name(), "error", err)
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.runners {
		s.reports.add(a)
	}
	return true
}

// pause waits; false means that the node ends.
func (s *session) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

// follow runs what the servers want to run here.
func (s *session) follow() {
	index, count, first := uint64(0), 0, true
	for {
		allocs, next, err := s.options.Server.Allocations(s.ctx, s.options.Node.ID, index, count)
		if s.ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Debug("allocations are not known", "node", s.name(), "error", err)
			if !s.pause(serverRetry) {
				return
			}
			continue
		}
		s.assign(allocs)
		if first {
			s.removeLeftDirs(allocs)
		}
		index, count, first = next, len(allocs), false
	}
}
