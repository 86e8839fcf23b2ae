package consul

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/consul/dns"
	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/rest"
)

// agent is a node of a datacenter and the API that clients speak to.
type agent struct {
	dc        *datacenter
	options   Agent
	log       *slog.Logger
	httpLog   *slog.Logger     // of the requests
	http      *rest.Listener   // the first that is plain; nil when it listens nowhere
	listeners []*rest.Listener // all of them
	registry  registry
	tokens    agentTokens
	requests  metrics.Recorder
	running   context.Context // ends when the agent leaves or is closed
	stop      context.CancelFunc
	dns       []*dns.Server
	events    eventRing
	cache     answerCache
}

func newAgent(d *datacenter, o Agent) *agent {
	if known := d.store.View().Node(o.Node); o.ID == "" && known != nil {
		o.ID = known.ID // it was here before
	}
	a := &agent{
		dc:       d,
		options:  o.withDefaults(),
		log:      d.consul.log,
		httpLog:  d.consul.log.With(logs.Module("agent.http")),
		registry: registry{runners: map[string]*checks.Runner{}},
	}
	a.running, a.stop = context.WithCancel(d.running)
	a.tokens.set(tokenDefault, d.consul.options.ACL.Default)
	return a
}

// start listens, enters the catalog with all that is registered, and then
// answers requests. What was started before an error is stopped by close.
func (a *agent) start() error {
	if err := a.listen(); err != nil {
		return err
	}
	if err := a.enter(); err != nil {
		return fmt.Errorf("enter the catalog: %w", err)
	}
	if err := a.reload(); err != nil {
		return err
	}
	if err := a.joinPools(); err != nil {
		return err
	}
	a.dc.background.Go(func() { a.keepCatalog(a.running) })
	a.dc.background.Go(func() { a.keepJoining(a.running) })
	if err := a.serveDNS(); err != nil {
		return err
	}
	for _, l := range a.listeners {
		l.Serve()
	}
	return nil
}

func (o Agent) withDefaults() Agent {
	if o.ID == "" {
		o.ID = uuid.NewString()
	}
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if o.HTTP == "" {
		o.HTTP = "127.0.0.1:0"
	}
	if o.ServerPort == 0 {
		o.ServerPort = 8300
	}
	if o.SidecarPorts == (PortRange{}) {
		o.SidecarPorts = PortRange{Min: 21000, Max: 21255}
	}
	return o
}

// listen takes every address of the agent.
func (a *agent) listen() error {
	if a.options.HTTP != "-" {
		if err := a.listenOn(a.options.HTTP, nil); err != nil {
			return err
		}
		a.http = a.listeners[0]
	}
	if a.options.HTTPS == "" {
		return nil
	}
	if a.options.TLS == nil {
		return errors.New("HTTPS has an address but no TLS configuration")
	}
	return a.listenOn(a.options.HTTPS, a.options.TLS)
}

func (a *agent) listenOn(addresses string, secure *tls.Config) error {
	for _, address := range strings.Fields(addresses) {
		l, err := rest.Listen(address, secure, a, a.log)
		if err != nil {
			return err
		}
		a.listeners = append(a.listeners, l)
	}
	return nil
}

func (a *agent) close() error {
	a.stop()
	var err error
	for _, l := range a.listeners {
		err = errors.Join(err, l.Close())
	}
	a.closeRunners()
	for _, server := range a.dns {
		err = errors.Join(err, server.Close())
	}
	return err
}
