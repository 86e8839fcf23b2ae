// Package nomad is a Nomad in the process: the HTTP API of one or several
// regions, with the scheduler, the deployments and the nodes behind it, over a
// topology of availability zones and nodes that one machine does not have. The
// official client, `nomad` itself and everything else that speaks to a Nomad
// agent works with it offline; SURFACE.md says how far.
//
// Each region has a state.Store, which everything reads and writes, a server
// that has the address which clients speak to, and nodes, which run what the
// scheduler places on them. There is no Raft and no gossip: the state is in one
// place, so it is always consistent.
//
// The emulator starts one for the jobs it runs, `drydock nomad agent` one for
// whoever wants it alone, and Go tests as many as they like.
package nomad

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/members"
	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/rest"
	"github.com/drydock/drydock/host/filelock"
)

// Version is the version of Nomad whose behaviour this is, and which agents tell.
const Version = "1.11.3"

// Options configure a Nomad. The zero value is the region global with one
// server on a free port of 127.0.0.1 and no node.
type Options struct {
	// Regions; the first is the authoritative one.
	Regions []Region
	// Dir keeps the state over restarts, and the allocations' directories. One
	// Nomad at a time owns it. Empty: a temporary one, which Close removes.
	Dir string
	// ACL says that requests need tokens.
	ACL bool
	// Consul is the address of the HTTP API of a Consul agent, with which
	// services that have the provider consul are registered. Empty: none.
	Consul string
	// Path is put first in the PATH of each task.
	Path []string
	// Output, if set, receives each line that a task prints, after the task's
	// name. Writes are never concurrent.
	Output io.Writer
	// Prepare, if set, is called with the Nomad when its API answers and before
	// any node starts. What it changes there, tasks of an earlier life find
	// changed when they run again. An error of it is Start's.
	Prepare func(ctx context.Context, n *Nomad) error
	// Debug serves /debug/pprof to everybody, as an agent in development mode does.
	Debug bool
	// Logger gets warnings and errors, and each unknown route; nil drops them.
	Logger *slog.Logger
}

// Region configures one region.
type Region struct {
	Name       string // lower case; default global
	Datacenter string // of the server; default dc1
	Server     string // its name; default: that of the machine
	// HTTP is what the API listens on, host:port or unix:///path; default 127.0.0.1:0.
	HTTP string
	// TLS serves the API over HTTPS instead; nil for plain HTTP.
	TLS *tls.Config
	// RPCPort and SerfPort are told as the server's, where nobody listens;
	// default 4647 and 4648.
	RPCPort, SerfPort int
	// Serf is the address, host:port, that servers of other processes join, and
	// RetryJoin those of theirs to join, over and over until they are there.
	// Empty: nobody can.
	Serf      string
	RetryJoin []string
	Nodes     []Node
	// OIDCIssuer is the URL that others know the region by as an issuer of
	// identities; empty: it does not offer itself as one.
	OIDCIssuer string
	// Prometheus answers /v1/metrics in the format of Prometheus, too.
	Prometheus bool
}

// Nomad is a running Nomad. Its methods may be called from any goroutine.
type Nomad struct {
	options    Options
	log        *slog.Logger
	regions    []*region
	router     *rest.Router[*request]
	calls      map[string]string // what requests are measured as, by method and path of the route
	policies   acl.Cache
	fan        *logs.Fan     // that the log goes through
	members    *members.Pool // the servers of all regions, and of other processes
	unknown    rest.Unknown
	stop       context.CancelFunc
	machine    *machine
	background sync.WaitGroup // what all regions share
	temporary  bool           // Dir is
	lock       *filelock.Lock // on Dir; nil on a temporary one
}

// Start starts the regions and their nodes. It returns when all of them answer;
// when anything fails, what was started is stopped again.
func Start(ctx context.Context, o Options) (*Nomad, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if len(o.Regions) == 0 {
		o.Regions = []Region{{}}
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	fan := logs.NewFan(o.Logger.Handler())
	log := slog.New(fan)
	if o.Output != nil {
		o.Output = &taskOutput{to: o.Output}
	}
	n := &Nomad{
		options: o, log: log, fan: fan, router: rest.NewRouter(table()), calls: calls(), stop: stop,
		members: members.New(log.With(logs.Module("nomad"))),
	}
	if err := n.start(ctx, running); err != nil {
		return nil, errors.Join(fmt.Errorf("start Nomad: %w", err), n.Close())
	}
	return n, nil
}

// start opens all regions before the first of them has an address, and has all
// of them answer before the first node starts. The first context bounds what
// Start does, the other one what goes on.
func (n *Nomad) start(ctx, running context.Context) error {
	if err := n.takeDir(); err != nil {
		return err
	}
	if err := n.findMachine(running); err != nil {
		return err
	}
	for _, o := range n.options.Regions {
		if o.Name == "" {
			o.Name = "global"
		}
		if n.region(o.Name) != nil {
			return fmt.Errorf("there are two regions named %q", o.Name)
		}
		r, err := openRegion(running, n, o)
		if err != nil {
			return fmt.Errorf("region %s: %w", o.Name, err)
		}
		n.regions = append(n.regions, r)
	}
	for _, r := range n.regions {
		if err := r.start(); err != nil {
			return fmt.Errorf("region %s: %w", r.options.Name, err)
		}
	}
	for _, r := range n.regions {
		r.listener.Serve()
	}
	if n.options.Prepare != nil {
		if err := n.options.Prepare(ctx, n); err != nil {
			return err
		}
	}
	for _, r := range n.regions {
		if err := r.startNodes(); err != nil {
			return fmt.Errorf("region %s: %w", r.options.Name, err)
		}
	}
	return nil
}

// AllocationDir is the directory of an allocation, in which its tasks log to
// alloc/logs; empty when no node that runs has it.
func (n *Nomad) AllocationDir(id string) string {
	for _, r := range n.regions {
		if c := r.clientOf(id); c != nil {
			if dir, err := c.AllocationDir(id); err == nil {
				return dir.Root
			}
		}
	}
	return ""
}

// Ready tells whether all tasks of an allocation run, and all its checks that
// count for a deployment pass. A deployment waits min_healthy_time longer.
func (n *Nomad) Ready(allocation string) bool {
	return slices.ContainsFunc(n.regions, func(r *region) bool {
		c := r.clientOf(allocation)
		return c != nil && c.AllocationReady(allocation)
	})
}

// Close stops every task gracefully and in parallel, each within its
// kill_timeout, then everything else. It may be called twice.
func (n *Nomad) Close() error {
	var err error
	for _, r := range slices.Backward(n.regions) {
		err = errors.Join(err, r.closeNodes())
	}
	n.stop()
	for _, r := range slices.Backward(n.regions) {
		err = errors.Join(err, r.close())
	}
	n.background.Wait()
	err = errors.Join(err, n.machine.close(), n.members.Close())
	return errors.Join(err, n.leaveDir())
}

// region is the one of that name; nil when there is none.
func (n *Nomad) region(name string) *region {
	for _, r := range n.regions {
		if r.options.Name == name {
			return r
		}
	}
	return nil
}

// URL is where the API of a region answers; empty when there is no such region.
func (n *Nomad) URL(region string) string {
	r := n.region(region)
	if r == nil {
		return ""
	}
	return r.listener.URL()
}
