package consul

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/members"
)

// datacenter is one datacenter: its state, its agents, and what goes on in it
// without being asked.
type datacenter struct {
	consul  *Consul
	name    string
	store   *state.Store
	agents  []*agent
	members *members.Pool

	started    time.Time
	sessions   sessionDeadlines
	eventClock atomic.Uint64
	callers    callers

	running    context.Context // ends when the Consul is closed
	background sync.WaitGroup
}

func openDatacenter(running context.Context, c *Consul, o Datacenter) (*datacenter, error) {
	d := &datacenter{
		consul: c, name: o.Name, running: running, started: time.Now().UTC(),
		members: members.New(c.log.With(logs.Module("agent.server.serf.lan"))),
	}
	var err error
	if c.options.Dir == "" {
		d.store, err = state.New()
	} else {
		d.store, err = state.Open(filepath.Join(c.options.Dir, o.Name+".journal"))
	}
	if err != nil {
		return nil, fmt.Errorf("datacenter %s: %w", o.Name, err)
	}
	d.eventClock.Store(eventClockStart)
	d.addAgents(o.Agents)
	return d, nil
}

// addAgents makes the agents, which do not serve anybody yet; one with the
// defaults when there are none.
func (d *datacenter) addAgents(agents []Agent) {
	if len(agents) == 0 {
		agents = []Agent{{}}
	}
	for i, a := range agents {
		if a.Node == "" {
			a.Node = fmt.Sprintf("%s-%d", d.name, i+1)
		}
		a.Client = a.Client || i > 0
		d.agents = append(d.agents, newAgent(d, a))
	}
}

// start starts what goes on in the datacenter, and its agents. From then on
// requests come, which may be about any of the datacenters.
func (d *datacenter) start() error {
	d.keep(d.expireSessions)
	d.keep(d.reapTokens)
	if d == d.consul.primary() {
		if err := d.seedAccessControl(); err != nil {
			return fmt.Errorf("datacenter %s: make its first tokens: %w", d.name, err)
		}
	} else {
		d.keep(d.replicateConfigEntries)
	}
	for _, a := range d.agents {
		if err := a.start(); err != nil {
			return fmt.Errorf("datacenter %s, agent %s: %w", d.name, a.options.Node, err)
		}
	}
	return nil
}

// keep runs work in the background until the Consul is closed, which waits for it.
func (d *datacenter) keep(work func(context.Context)) {
	d.background.Go(func() { work(d.running) })
}

func (d *datacenter) close() error {
	var err error
	for _, a := range d.agents {
		err = errors.Join(err, a.close())
	}
	d.background.Wait()
	return errors.Join(err, d.members.Close(), d.store.Close())
}
