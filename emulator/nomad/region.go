package nomad

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"

	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/nomad/events"
	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/login"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
	"github.com/drydock/drydock/emulator/rest"
	"github.com/drydock/drydock/emulator/store"
)

// region is one region: its state, its server, its nodes, and what goes on in
// it without being asked.
type region struct {
	nomad    *Nomad
	options  Region
	id       string // of the server, made up at each start
	dir      string
	store    *state.Store
	keys     *keyring.Keyring
	listener *rest.Listener
	nodes    nodes

	started    time.Time
	queue      *queue
	pools      place.Pools
	events     *events.Broker
	heartbeats heartbeats
	identities nodeIdentities
	locks      locks
	logins     login.Logins
	updates    updates
	workers    workers
	measured   metrics.Recorder

	running    context.Context // ends when the Nomad is closed
	background sync.WaitGroup
}

func openRegion(running context.Context, n *Nomad, o Region) (*region, error) {
	if o.HTTP == "" {
		o.HTTP = "127.0.0.1:0"
	}
	if o.Datacenter == "" {
		o.Datacenter = "dc1"
	}
	if o.Server == "" {
		name, err := os.Hostname()
		if err != nil {
			return nil, err
		}
		o.Server = name
	}
	if o.RPCPort == 0 {
		o.RPCPort = 4647
	}
	if o.SerfPort == 0 {
		o.SerfPort = 4648
	}
	r := &region{
		nomad: n, options: o, running: running, started: time.Now(), id: uuid.NewString(),
		dir: filepath.Join(n.options.Dir, o.Name),
	}
	var err error
	var keyFile string
	if n.temporary {
		r.store, err = state.New()
	} else {
		if err := openWay(r.dir); err != nil {
			return nil, err
		}
		keyFile = filepath.Join(r.dir, "server", "keystore", "wrapping.key")
		r.store, err = state.Open(filepath.Join(r.dir, "server", "state.journal"))
	}
	if err != nil {
		return nil, err
	}
	if r.keys, err = keyring.Open(r.store, keyFile); err != nil {
		return nil, errors.Join(err, r.store.Close())
	}
	r.queue, r.events = newQueue(), events.New()
	r.store.Observe(r.observe)
	return r, r.store.Seed()
}

// observe is told each commit, in order. It hands on what has changed and does
// not wait for anybody.
func (r *region) observe(c store.Commit) {
	r.queue.observe(c)
	r.events.Observe(c)
}

// start takes the region's address, and starts what goes on in it.
func (r *region) start() error {
	listener, err := rest.Listen(r.options.HTTP, r.options.TLS, gzhttp.GzipHandler(r), r.nomad.log)
	if err != nil {
		return err
	}
	r.listener = listener
	if r.options.Serf != "" {
		if _, err := r.nomad.members.Listen(r.options.Serf); err != nil {
			return err
		}
	}
	r.nomad.members.Add(r.poolMember())
	if err := r.leaveTakenPorts(); err != nil {
		return err
	}
	r.queue.load(r.store.View())
	r.keep(r.keepJoining)
	r.keep(r.schedule)
	r.keep(r.applyUpdates)
	r.keep(r.expireHeartbeats)
	r.keep(r.collectGarbage)
	r.keep(r.watchDeployments)
	r.keep(r.watchDrains)
	r.keep(r.reapTokens)
	r.keep(r.publishKeys)
	r.keep(r.releaseLocks)
	r.keep(r.launchPeriodics)
	return nil
}

// keep runs work in the background until the Nomad is closed, which waits for it.
func (r *region) keep(work func(context.Context)) {
	r.background.Go(func() { work(r.running) })
}

func (r *region) close() error {
	var err error
	if r.listener != nil {
		err = r.listener.Close()
	}
	r.background.Wait()
	return errors.Join(err, r.store.Close())
}
