// Package consul is a Consul in the process: the HTTP API and the DNS of one or
// several datacenters, with catalog, health checks, key-value store, sessions,
// access control and the Connect certificate authority. The official client,
// `consul` itself, consul-template and everything else that speaks to a Consul
// agent works with it offline; SURFACE.md says how far.
//
// Each datacenter has a state.Store, which everything reads and writes, and one
// or more agents, which have the addresses that clients speak to, and which run
// the checks of the services registered with them. There is no Raft and no
// gossip: the state is in one place, so it is always consistent.
//
// The emulator starts one for the jobs it runs, `drydock consul agent` one for
// whoever wants it alone, and Go tests as many as they like.
package consul

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/members"
	"github.com/drydock/drydock/emulator/rest"
)

// Version is the version of Consul whose behaviour this is, and which agents tell.
const Version = "1.22.3"

// BuildDate is when that version was built, which agents tell too: unknown, in
// the form that it then has.
const BuildDate = "1970-01-01T00:00:01Z"

// Options configure a Consul. The zero value is one datacenter, dc1, with one
// agent on a free port of 127.0.0.1.
type Options struct {
	// Datacenters; the first is the primary one.
	Datacenters []Datacenter
	// Dir keeps the state over restarts, a file for each datacenter. Empty: it
	// is kept in memory.
	Dir string
	// ACL says whether requests need tokens.
	ACL ACL
	// CA configures the Connect certificate authority, with the names that
	// /v1/connect/ca/configuration has; nil takes the defaults.
	CA map[string]any
	// WithoutConnect turns the Connect certificate authority off.
	WithoutConnect bool
	// Encrypt is the key, in base64, that gossip would be encrypted with: what
	// /v1/operator/keyring starts with. Empty: encryption is off.
	Encrypt string
	// EagerChecks has checks that have not passed yet probed often, and at once, so
	// that services that start are found sooner than with the real program.
	EagerChecks bool
	// Logger gets warnings and errors, and each unknown route; nil drops them.
	Logger *slog.Logger
}

// Datacenter configures one datacenter.
type Datacenter struct {
	Name string // lower case; default dc1
	// Agents, the first of which is the server; none is one with defaults.
	Agents []Agent
}

// Agent configures one agent, which is a node of its datacenter.
type Agent struct {
	Node     string            // name of the node; default: the datacenter's name with the agent's number
	ID       string            // of the node, a UUID; default: made up
	Meta     map[string]string // of the node
	Address  string            // of the node; default 127.0.0.1
	Locality *state.Locality   // of the node
	// HTTP is what the API listens on, host:port or unix:///path, or several of
	// them with spaces between; default 127.0.0.1:0. "-" is nowhere.
	HTTP string
	// HTTPS is what the API also listens on, with TLS, in the form of HTTP.
	// Empty: nowhere.
	HTTPS string
	TLS   *tls.Config
	// DNS is what DNS is answered on, UDP and TCP: host:port, or several of them
	// with spaces between. Empty: no DNS.
	DNS string
	// Client says that it is no server, which shows in what it tells about itself.
	Client bool
	// ServerPort is told as that of the server's RPC, where nobody listens; default 8300.
	ServerPort int
	// SidecarPorts are given to sidecars that have none; default 21000 to 21255.
	SidecarPorts PortRange
	// Definitions are the services and checks that the agent has by its
	// configuration; it is called at the start and at each reload. Nil: none.
	Definitions func() (Definitions, error)
	// ScriptChecks allows checks that run programs; LocalScriptChecks only those
	// that Definitions has.
	ScriptChecks, LocalScriptChecks bool
	// Debug serves /debug/pprof.
	Debug bool
	// Prometheus answers /v1/agent/metrics in the format of Prometheus, too.
	Prometheus bool
	// SerfLAN and SerfWAN are the addresses, host:port, that agents of other
	// processes join. Empty: nobody can; the standard ports are told.
	SerfLAN, SerfWAN string
	// RetryJoin and RetryJoinWAN are addresses of agents of other processes to
	// join, over and over until they are there.
	RetryJoin, RetryJoinWAN []string
	// Pretty indents all JSON, as an agent in development mode does.
	Pretty bool
}

// PortRange is a range of ports, both ends in it.
type PortRange struct{ Min, Max int }

// ACL configures access control.
type ACL struct {
	Enabled bool
	// Allow is what happens to a request that no rule of its token covers.
	Allow bool
	// InitialManagement is the secret of a token that may do everything, and
	// Agent that of the token which agents use for themselves. Default is the
	// token of requests that have none. All may be empty.
	InitialManagement string
	Agent             string
	Default           string
	// KeyList makes listing keys need the permission key:list.
	KeyList bool
}

// Consul is a running Consul. Its methods may be called from any goroutine.
type Consul struct {
	options     Options
	log         *slog.Logger
	datacenters []*datacenter
	router      *rest.Router[*request]
	keyring     *keyring
	servers     *members.Pool // of all datacenters
	fan         *logs.Fan     // that the log goes through
	unknown     rest.Unknown
	stop        context.CancelFunc
	leaving     sync.Once
	left        chan struct{} // closed when an agent has left
}

// Start starts the datacenters and their agents. It returns when all of them
// answer; when anything fails, what was started is stopped again.
func Start(ctx context.Context, o Options) (*Consul, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if len(o.Datacenters) == 0 {
		o.Datacenters = []Datacenter{{}}
	}
	keyring, err := newKeyring(o.Encrypt)
	if err != nil {
		return nil, fmt.Errorf("start Consul: the key for encryption: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	fan := logs.NewFan(o.Logger.Handler())
	log := slog.New(fan)
	c := &Consul{
		options: o, log: log, fan: fan, router: rest.NewRouter(table()), keyring: keyring, stop: stop,
		servers: members.New(log.With(logs.Module("agent.server.serf.wan"))), left: make(chan struct{}),
	}
	if err := c.start(running); err != nil {
		return nil, errors.Join(fmt.Errorf("start Consul: %w", err), c.Close())
	}
	return c, nil
}

// start opens all datacenters before the first of them has an address.
func (c *Consul) start(running context.Context) error {
	for _, o := range c.options.Datacenters {
		if o.Name == "" {
			o.Name = "dc1"
		}
		if c.datacenter(o.Name) != nil {
			return fmt.Errorf("there are two datacenters named %q", o.Name)
		}
		d, err := openDatacenter(running, c, o)
		if err != nil {
			return err
		}
		c.datacenters = append(c.datacenters, d)
	}
	if !c.options.WithoutConnect {
		if err := c.primary().openAuthority(c.options.CA); err != nil {
			return fmt.Errorf("make the certificate authority: %w", err)
		}
	}
	for _, d := range c.datacenters {
		if err := d.start(); err != nil {
			return err
		}
	}
	return nil
}

// Close stops everything. It may be called twice.
func (c *Consul) Close() error {
	c.stop()
	var err error
	for _, d := range slices.Backward(c.datacenters) {
		err = errors.Join(err, d.close())
	}
	return errors.Join(err, c.servers.Close())
}

// datacenter is the one of that name; nil when there is none.
func (c *Consul) datacenter(name string) *datacenter {
	for _, d := range c.datacenters {
		if d.name == name {
			return d
		}
	}
	return nil
}

// primary is the datacenter that access control and intentions are managed in.
func (c *Consul) primary() *datacenter { return c.datacenters[0] }

// URL is where the API of a datacenter's first agent answers; empty when it
// listens nowhere or there is no such datacenter.
func (c *Consul) URL(datacenter string) string {
	d := c.datacenter(datacenter)
	if d == nil || d.agents[0].http == nil {
		return ""
	}
	return d.agents[0].http.URL()
}
