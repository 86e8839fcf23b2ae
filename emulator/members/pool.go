// Package members is who belongs to a Consul cluster: the agents of a
// datacenter, or the servers of all of them. Agents in one process share a
// Pool; pools of several processes join each other over TCP, and then tell each
// other who comes, leaves and fails. There is no gossip: a link that breaks is a
// failure at once.
//
// The emulated agents of package consul are its callers.
package members

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
)

// Statuses of members, with the numbers that Serf gives them.
const (
	Alive   = 1
	Leaving = 2
	Left    = 3
	Failed  = 4
)

// leaveWait bounds how long a process that leaves waits for another one to know.
const leaveWait = time.Second

// NotFoundError says that a pool has no member of the name.
type NotFoundError struct{ Name string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("agent: No node found with name '%s'", e.Name)
}

// record is what is known of a member. That with the higher version holds.
type record struct {
	Member  api.AgentMember
	Version uint64
	own     bool // of this process
}

// Pool is a group of members. Its methods may be called from any goroutine.
type Pool struct {
	log   *slog.Logger
	links sync.WaitGroup // goroutines that listen or read

	mu        sync.Mutex
	records   map[string]record
	peers     map[*link]bool
	listeners []net.Listener
	closed    bool
}

// New makes an empty pool. The caller closes it.
func New(log *slog.Logger) *Pool {
	return &Pool{log: log, records: map[string]record{}, peers: map[*link]bool{}}
}

// Add brings in a member of this process.
func (p *Pool) Add(m api.AgentMember) {
	m.Status = Alive
	p.mu.Lock()
	defer p.mu.Unlock()
	r := record{Member: m, Version: p.records[m.Name].Version + 1, own: true}
	p.put(r)
	p.tell(nil, r)
}

// List are all members, by name.
func (p *Pool) List() []api.AgentMember {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]api.AgentMember, 0, len(p.records))
	for _, r := range p.records {
		list = append(list, r.Member)
	}
	slices.SortFunc(list, func(a, b api.AgentMember) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// Leave marks a member of this process as one that has left. When it was the
// last one, the links are ended: Leave returns when the other processes know,
// or after a moment.
func (p *Pool) Leave(name string) {
	for _, l := range p.depart(name) {
		select {
		case <-l.ended:
		case <-time.After(leaveWait):
			l.connection.Close()
		}
	}
}

// depart returns the links that end because of it.
func (p *Pool) depart(name string) []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r, ok := p.records[name]; ok {
		p.mark(r, Left)
	}
	for _, r := range p.records {
		if r.own {
			return nil
		}
	}
	var ending []*link
	for peer := range p.peers {
		peer.finish()
		ending = append(ending, peer)
	}
	return ending
}

// ForceLeave marks a member that has failed as one that has left or, with
// prune, forgets it. One that is alive in another process is said to be leaving
// here, until it is heard of again. The error is a *NotFoundError.
func (p *Pool) ForceLeave(name string, prune bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.records[name]
	if !ok {
		return &NotFoundError{name}
	}
	if r.Member.Status == Alive {
		if !r.own {
			r.Member.Status = Leaving
			p.records[name] = r
		}
		return nil
	}
	p.mark(r, Left)
	if prune {
		delete(p.records, name)
	}
	return nil
}

// mark gives a member a status, and tells it. The caller holds the lock.
func (p *Pool) mark(r record, status int) {
	r.Member.Status, r.own = status, false
	r.Version++
	p.put(r)
	p.tell(nil, r)
}

// put keeps a record, and logs what it says. The caller holds the lock.
func (p *Pool) put(r record) {
	before, known := p.records[r.Member.Name]
	p.records[r.Member.Name] = r
	event := map[int]string{Alive: "EventMemberJoin", Left: "EventMemberLeave", Failed: "EventMemberFailed"}[r.Member.Status]
	if !known || before.Member.Status != r.Member.Status {
		p.log.Info("serf: " + event + ": " + r.Member.Name + " " + r.Member.Addr)
	}
}

// learn takes over what another process knows, and passes on what is new of
// it. What it says of this process's own members is set right. The caller
// holds the lock.
func (p *Pool) learn(from *link, list []record) {
	for _, r := range list {
		r.own = false
		known, ok := p.records[r.Member.Name]
		switch {
		case ok && r.Version <= known.Version:
		case ok && known.own:
			known.Version = r.Version + 1
			p.put(known)
			p.tell(nil, known)
		default:
			p.put(r)
			p.tell(from, r)
		}
	}
}

// tell sends records to all processes that are joined but one. The caller
// holds the lock.
func (p *Pool) tell(except *link, list ...record) {
	for peer := range p.peers {
		if peer != except {
			peer.send(list)
		}
	}
}

// all are the records. The caller holds the lock.
func (p *Pool) all() []record {
	list := make([]record, 0, len(p.records))
	for _, r := range p.records {
		list = append(list, r)
	}
	return list
}

// Close ends the links to other processes, which take the members of this one
// for failed unless they have left. It may be called twice.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	var err error
	for _, l := range p.listeners {
		err = errors.Join(err, l.Close())
	}
	p.listeners = nil
	for peer := range p.peers {
		peer.connection.Close()
	}
	p.mu.Unlock()
	p.links.Wait()
	return err
}
