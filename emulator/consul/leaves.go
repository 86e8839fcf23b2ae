package consul

import (
	"errors"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/ca"
	"github.com/drydock/drydock/emulator/consul/state"
)

// agentRoots answers as the agent's cache does.
func agentRoots(r *request) (any, error) {
	r.header.Set("X-Cache", "HIT")
	r.header.Set("Age", "0")
	return caRoots(r)
}

// agentLeaf answers with the certificate that the agent keeps for a service:
// made when it is first asked for, and again when half of its time is over or
// another root signs.
func agentLeaf(r *request) (any, error) {
	if err := r.needConnect(); err != nil {
		return nil, err
	}
	service := r.PathValue("service")
	if service == "" {
		return nil, errors.New("URI must be either service, agent, server, or kind")
	}
	if err := r.need(acl.Write, acl.Service, service); err != nil {
		return nil, err
	}
	made, err := r.agent.keepLeaf(service)
	if err != nil {
		return nil, err
	}
	if made {
		r.header.Set("X-Cache", "MISS")
	} else {
		r.header.Set("X-Cache", "HIT")
		r.header.Set("Age", "0")
	}
	return r.blockOn(r.dc.authority(), func(view *state.View) (any, uint64, error) {
		leaf := view.Leaf(r.agent.options.Node, service)
		if stale(leaf, view.ActiveRoot(), time.Now()) {
			// What is made now is read when the change wakes this query.
			if _, err := r.agent.keepLeaf(service); err != nil {
				return nil, 0, err
			}
		}
		return leafAnswer{leaf.Leaf, leaf.CreateIndex, leaf.ModifyIndex}, leaf.ModifyIndex, nil
	})
}

type leafAnswer struct {
	ca.Leaf
	CreateIndex uint64
	ModifyIndex uint64
}

// stale tells whether a leaf is to be made anew.
func stale(leaf *state.CALeaf, active *state.CARoot, now time.Time) bool {
	if leaf == nil || leaf.Root != active.ID {
		return true
	}
	half := leaf.ValidBefore.Sub(leaf.ValidAfter) / 2
	return now.After(leaf.ValidAfter.Add(half))
}

// keepLeaf has the agent keep a certificate that is not stale.
func (a *agent) keepLeaf(service string) (made bool, err error) {
	store := a.dc.authority()
	view := store.View()
	if !stale(view.Leaf(a.options.Node, service), view.ActiveRoot(), time.Now()) {
		return false, nil
	}
	err = store.Write(func(tx *state.Tx) error {
		active := tx.ActiveRoot()
		if made = stale(tx.Leaf(a.options.Node, service), active, tx.Now()); !made {
			return nil // another request was faster
		}
		config, err := ca.ParseConfig(tx.Authority().Config)
		if err != nil {
			return err
		}
		identity := ca.Identity{TrustDomain: a.dc.trustDomain(), Datacenter: a.dc.name, Service: service}
		leaf, err := active.Signer().Leaf(identity, config.LeafCertTTL, issue(tx))
		if err != nil {
			return err
		}
		tx.PutLeaf(a.options.Node, active, leaf)
		return nil
	})
	return made, err
}
