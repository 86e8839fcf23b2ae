package nomad

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// autopilotHealth tells that the region's one server is well.
func (r *request) autopilotHealth() (any, error) {
	if err := r.need(acl.Read, acl.Operator); err != nil {
		return nil, err
	}
	index := r.region.store.View().LastIndex()
	return api.OperatorHealthReply{
		Healthy: true, Leader: r.region.id, Voters: []string{r.region.id},
		Servers: []api.ServerHealth{{
			ID: r.region.id, Name: r.region.serverName(), Address: r.region.rpcAddress(), SerfStatus: "alive", Version: Version,
			Leader: true, LastTerm: 2, LastIndex: index, Healthy: true, Voter: true,
			StableSince: r.region.started.UTC().Truncate(time.Second),
		}},
	}, nil
}

func (r *request) autopilotConfiguration() (any, error) {
	if err := r.need(acl.Read, acl.Operator); err != nil {
		return nil, err
	}
	return r.region.store.View().AutopilotConfiguration(), nil
}

func (r *request) setAutopilotConfiguration() (any, error) {
	if err := r.need(acl.Write, acl.Operator); err != nil {
		return nil, err
	}
	asked := &api.AutopilotConfiguration{}
	if err := r.decode(asked); err != nil {
		return nil, badRequest("Error parsing autopilot config: %v", err)
	}
	swap, err := r.compareAndSwap()
	if err != nil {
		return nil, err
	}
	updated := true
	err = r.region.store.Write(func(tx *state.Tx) error {
		if swap != nil && tx.AutopilotConfiguration().ModifyIndex != *swap {
			updated = false
			return nil
		}
		tx.UpsertAutopilotConfiguration(asked)
		return nil
	})
	return updated, err
}
