package nomad

import (
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/drydock/drydock/host/filelock"
)

const (
	// claimFor is how long a port is kept for the task that it is given to. By
	// then the task has bound it, or does not need it.
	claimFor = 2 * time.Minute
	// maxClaims bounds the ports that are kept at a time, each by an open file.
	maxClaims = 1000
)

// ports are the TCP ports of this machine that the scheduler gives to tasks.
// Until a task binds its port the port looks free to everyone, so that it is
// also held by a lock for a while, which other Nomads of this user heed, in this
// process or another.
type ports struct {
	mu     sync.Mutex
	claims map[int]claim
}

type claim struct {
	owner *region
	lock  *filelock.Lock
	ends  time.Time
}

func newPorts() *ports { return &ports{claims: map[int]claim{}} }

// claim takes a port for a task of a region, unless it is somebody else's.
func (p *ports) claim(owner *region, address string, number int) bool {
	if !portFree(address, number) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.release(func(c claim) bool { return now.After(c.ends) })
	c, known := p.claims[number]
	switch {
	case known && c.owner != owner:
		return false
	case !known && len(p.claims) >= maxClaims:
		return true
	case !known:
		lock, err := filelock.TakePort("task", number)
		if err != nil {
			return false
		}
		c = claim{owner: owner, lock: lock}
	}
	c.ends = now.Add(claimFor)
	p.claims[number] = c
	return true
}

// claimPort is ports.claim for the region.
func (r *region) claimPort(address string, number int) bool {
	return r.nomad.machine.ports.claim(r, address, number)
}

// release gives some claims back; the caller holds the lock.
func (p *ports) release(which func(claim) bool) {
	for number, c := range p.claims {
		if which(c) {
			c.lock.Release()
			delete(p.claims, number)
		}
	}
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.release(func(claim) bool { return true })
}

// portFree tells whether nobody has bound a port.
func portFree(address string, port int) bool {
	probe, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	probe.Close()
	return true
}
