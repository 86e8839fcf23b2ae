package consul

import (
	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// Left is closed when an agent has been told to leave.
func (c *Consul) Left() <-chan struct{} { return c.left }

// agentLeave makes the agent leave: the others are told, a client's node is
// taken off the catalog, and nobody is answered any more.
func agentLeave(r *request) (any, error) {
	a := r.agent
	if err := r.need(acl.Write, acl.Agent, a.options.Node); err != nil {
		return nil, err
	}
	a.log.Info("server starting leave")
	a.leave()
	return nil, nil
}

func (a *agent) leave() {
	a.stop()
	a.dc.members.Leave(a.options.Node)
	if a.isServer() {
		a.dc.consul.servers.Leave(a.memberWAN().Name)
	} else {
		err := a.dc.store.Write(func(tx *state.Tx) error {
			tx.DeleteNode(a.options.Node)
			return nil
		})
		if err != nil {
			a.log.Error("a node that leaves is not taken off the catalog", "error", err)
		}
	}
	// The request that says so is answered first.
	a.dc.background.Go(func() {
		if err := a.close(); err != nil {
			a.log.Error("an agent that leaves is not closed", "error", err)
		}
		a.dc.consul.leaving.Do(func() { close(a.dc.consul.left) })
	})
}
