package consul

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

const (
	// syncEvery is how often an agent puts right what the catalog has of its node.
	syncEvery = time.Minute
	// reapEvery is how often an agent looks for services that are critical for too long.
	reapEvery = 30 * time.Second
)

// ownService is the ID and name of the service that a server is, and serfHealth
// the ID of the check of an agent itself.
const (
	ownService = "consul"
	serfHealth = "serfHealth"
)

// isServer tells whether the agent is the datacenter's server.
func (a *agent) isServer() bool { return !a.options.Client }

// member is what the catalog has of the agent itself.
func (a *agent) member() state.Member {
	meta := map[string]string{"consul-network-segment": "", "consul-version": Version}
	for key, value := range a.options.Meta {
		meta[key] = value
	}
	m := state.Member{
		Node: state.Node{
			ID: a.options.ID, Node: a.options.Node, Address: a.options.Address, Datacenter: a.dc.name,
			TaggedAddresses: a.taggedAddresses(), Meta: meta, Locality: a.options.Locality,
		},
		Alive: state.Check{
			Node: a.options.Node, CheckID: serfHealth, Name: "Serf Health Status",
			Status: api.HealthPassing, Output: "Agent alive and reachable",
		},
	}
	if a.isServer() {
		m.Own = &state.Service{
			Node: a.options.Node, ID: ownService, Service: ownService, Port: a.options.ServerPort,
			Meta: map[string]string{
				"non_voter": "false", "raft_version": "3", "read_replica": "false", "serf_protocol_current": "2",
				"serf_protocol_max": "5", "serf_protocol_min": "1", "version": Version,
			},
		}
	}
	return m
}

func (a *agent) taggedAddresses() map[string]string {
	addresses := map[string]string{"lan": a.options.Address, "wan": a.options.Address}
	if ip := net.ParseIP(a.options.Address); ip != nil {
		version := "ipv6"
		if ip.To4() != nil {
			version = "ipv4"
		}
		addresses["lan_"+version], addresses["wan_"+version] = a.options.Address, a.options.Address
	}
	return addresses
}

// serverAddress is where the server of the datacenter says that its RPC is.
func (a *agent) serverAddress() string {
	return net.JoinHostPort(a.options.Address, strconv.Itoa(a.options.ServerPort))
}

// enter brings the agent into the catalog, with all that is registered with it
// from before, and runs its checks.
func (a *agent) enter() error {
	var all []*state.LocalCheck
	err := a.dc.store.Write(func(tx *state.Tx) error {
		if err := tx.RestartLocalChecks(a.options.Node); err != nil {
			return err
		}
		if _, err := tx.SyncMember(a.member()); err != nil {
			return err
		}
		err := placeAtOrigin(tx, a.options.Node)
		all = store.Collect[state.LocalCheck](tx, state.TableLocalChecks, "node", a.options.Node)
		return err
	})
	if err != nil {
		return err
	}
	a.registry.mu.Lock()
	defer a.registry.mu.Unlock()
	for _, c := range all {
		a.startRunners([]state.LocalCheck{*c})
	}
	return nil
}

// sync puts right what the catalog has of the agent's node.
func (a *agent) sync() {
	changed := 0
	err := a.dc.store.Write(func(tx *state.Tx) error {
		var err error
		changed, err = tx.SyncMember(a.member())
		return err
	})
	switch {
	case err != nil:
		a.log.Error("failed to sync changes", "error", err)
	case changed > 0:
		a.log.Info("Synced the catalog with the agent", "changes", changed)
	}
}

// reap removes the services that are critical for longer than they may be.
func (a *agent) reap(now time.Time) {
	for service, check := range a.dc.store.View().OverdueServices(a.options.Node, now) {
		a.log.Info("check for service has been critical for too long; deregistering service", "service", service, "check", check)
		err := a.remove(func(tx *state.Tx) error {
			tx.DeleteLocalService(a.options.Node, service)
			return nil
		})
		if err != nil {
			a.log.Error("a service that is critical for too long is not deregistered", "service", service, "error", err)
		}
	}
}

// keepCatalog keeps the catalog right until the context ends.
func (a *agent) keepCatalog(ctx context.Context) {
	syncs, reaps := time.NewTicker(syncEvery), time.NewTicker(reapEvery)
	defer syncs.Stop()
	defer reaps.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-syncs.C:
			a.sync()
		case now := <-reaps.C:
			a.reap(now)
		}
	}
}
