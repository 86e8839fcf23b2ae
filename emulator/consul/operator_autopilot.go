package consul

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/archive"
	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func autopilotConfiguration(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	return r.dc.store.View().Autopilot(), nil
}

// configureAutopilot writes the configuration: what the body does not have gets
// its default. With ?cas it does so only at an index; the answer is whether it has.
func configureAutopilot(r *request) (any, error) {
	if err := r.need(acl.Write, acl.Operator, ""); err != nil {
		return nil, err
	}
	config, err := r.autopilot()
	if err != nil {
		return nil, err
	}
	index, err := r.number("cas")
	if err != nil {
		return nil, badRequest("Error parsing cas value: %v", err)
	}
	written := false
	err = r.write(func(tx *state.Tx) error {
		if r.has("cas") && tx.Autopilot().ModifyIndex != index {
			return nil
		}
		tx.PutAutopilot(config)
		written = true
		return nil
	})
	return written, err
}

// autopilot reads the configuration in the body.
func (r *request) autopilot() (api.AutopilotConfiguration, error) {
	config := api.NewAutopilotConfiguration()
	body, err := r.body()
	if err != nil {
		return config, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&config); err != nil {
		return config, badRequest("Error parsing autopilot config: %v", err)
	}
	defaults := api.NewAutopilotConfiguration()
	if config.LastContactThreshold == nil {
		config.LastContactThreshold = defaults.LastContactThreshold
	}
	if config.ServerStabilizationTime == nil {
		config.ServerStabilizationTime = defaults.ServerStabilizationTime
	}
	return config, nil
}

func autopilotHealth(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	server := r.dc.server()
	return api.OperatorHealthReply{Healthy: true, Servers: []api.ServerHealth{{
		ID:          server.ID,
		Name:        server.Node,
		Address:     r.dc.leader(),
		SerfStatus:  "alive",
		Version:     Version,
		Leader:      true,
		LastContact: api.NewReadableDuration(0),
		LastTerm:    archive.Term,
		LastIndex:   r.dc.store.View().LastIndex(),
		Healthy:     true,
		Voter:       true,
		StableSince: r.dc.started.Truncate(time.Second),
	}}}, nil
}

func autopilotState(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Operator, ""); err != nil {
		return nil, err
	}
	server := r.dc.server()
	return api.AutopilotState{
		Healthy: true,
		Leader:  server.ID,
		Voters:  []string{server.ID},
		Servers: map[string]api.AutopilotServer{server.ID: {
			ID:          server.ID,
			Name:        server.Node,
			Address:     r.dc.leader(),
			NodeStatus:  "alive",
			Version:     Version,
			LastContact: api.NewReadableDuration(0),
			LastTerm:    archive.Term,
			LastIndex:   r.dc.store.View().LastIndex(),
			Healthy:     true,
			StableSince: r.dc.started,
			Status:      api.AutopilotServerLeader,
			Meta:        map[string]string{"consul-network-segment": "", "consul-version": Version},
			NodeType:    api.AutopilotTypeVoter,
		}},
	}, nil
}
