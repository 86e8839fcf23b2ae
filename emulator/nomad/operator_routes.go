package nomad

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func operatorRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/operator/scheduler/configuration", (*request).schedulerConfiguration),
		faithful(http.MethodPut, "/v1/operator/scheduler/configuration", (*request).setSchedulerConfiguration),
		faithful(http.MethodGet, "/v1/operator/raft/configuration", (*request).raftConfiguration),
		faithful(http.MethodDelete, "/v1/operator/raft/peer", (*request).removeRaftPeer),
		faithful(http.MethodPut, "/v1/operator/raft/transfer-leadership", (*request).transferLeadership),
		faithful(http.MethodGet, "/v1/operator/autopilot/configuration", (*request).autopilotConfiguration),
		faithful(http.MethodPut, "/v1/operator/autopilot/configuration", (*request).setAutopilotConfiguration),
		faithful(http.MethodGet, "/v1/operator/autopilot/health", (*request).autopilotHealth),
		faithful(http.MethodGet, "/v1/operator/license", (*request).license),
		faithful(http.MethodPut, "/v1/operator/license", enterpriseOnly),
		faithful(http.MethodPut, "/v1/operator/utilization", enterpriseOnly),
		faithful(http.MethodGet, "/v1/operator/upgrade-check/vault-workload-identity", (*request).vaultUpgradeCheck),
	}
}

// license answers as the community edition does, which has none.
func (r *request) license() (any, error) { return noContent, nil }

// enterpriseOnly answers as the community edition does.
func enterpriseOnly(*request) (any, error) {
	return nil, fail(http.StatusNotImplemented, "Nomad Enterprise only endpoint")
}

func (r *request) schedulerConfiguration() (any, error) {
	if err := r.need(acl.Read, acl.Operator); err != nil {
		return nil, err
	}
	config := r.region.store.View().SchedulerConfiguration()
	r.setIndex(config.ModifyIndex)
	return map[string]any{
		"SchedulerConfig": config, "Index": config.ModifyIndex, "KnownLeader": true, "LastContact": 0, "NextToken": "",
	}, nil
}

func (r *request) setSchedulerConfiguration() (any, error) {
	if err := r.need(acl.Write, acl.Operator); err != nil {
		return nil, err
	}
	asked := &api.SchedulerConfiguration{}
	if err := r.decode(asked); err != nil {
		return nil, badRequest("Error parsing scheduler config: %v", err)
	}
	algorithms := []api.SchedulerAlgorithm{"", api.SchedulerAlgorithmBinpack, api.SchedulerAlgorithmSpread}
	if !slices.Contains(algorithms, asked.SchedulerAlgorithm) {
		return nil, badRequest("invalid scheduler algorithm: %v", asked.SchedulerAlgorithm)
	}
	swap, err := r.compareAndSwap()
	if err != nil {
		return nil, err
	}
	updated, index := true, uint64(0)
	err = r.write(func(tx *state.Tx) error {
		index = tx.ChangeIndex()
		if swap != nil && tx.SchedulerConfiguration().ModifyIndex != *swap {
			updated = false
			return nil
		}
		if asked.SchedulerAlgorithm == "" {
			asked.SchedulerAlgorithm = tx.SchedulerConfiguration().SchedulerAlgorithm
		}
		tx.UpsertSchedulerConfiguration(asked)
		return nil
	})
	return map[string]any{"Updated": updated, "Index": index}, err
}

// compareAndSwap is the index that the thing must have; nil when any will do.
func (r *request) compareAndSwap() (*uint64, error) {
	text := r.query.Get("cas")
	if text == "" {
		return nil, nil
	}
	index, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, badRequest("Error parsing cas value: %v", err)
	}
	return &index, nil
}

func (r *request) raftConfiguration() (any, error) {
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return api.RaftConfiguration{Servers: []*api.RaftServer{{
		ID: r.region.id, Node: r.region.serverName(), Address: r.region.rpcAddress(), Leader: true, Voter: true, RaftProtocol: "3",
	}}}, nil
}

func (r *request) removeRaftPeer() (any, error) {
	if err := r.need(acl.Write, acl.Operator); err != nil {
		return nil, err
	}
	id, address := r.query.Get("id"), r.query.Get("address")
	switch {
	case id == "" && address == "":
		return nil, badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove")
	case id != "" && address != "":
		return nil, badRequest("Must specify only one of ?id or ?address")
	case id == r.region.id || address == r.region.rpcAddress():
		return nil, fail(http.StatusInternalServerError, "removing the only server would leave the region without any")
	case id != "":
		return nil, fail(http.StatusInternalServerError, "id %q was not found in the Raft configuration", id)
	}
	return nil, fail(http.StatusInternalServerError, "address %q was not found in the Raft configuration", address)
}

func (r *request) transferLeadership() (any, error) {
	if err := r.need(acl.Write, acl.Operator); err != nil {
		return nil, err
	}
	id, address := r.query.Get("id"), r.query.Get("address")
	switch {
	case id == "" && address == "":
		return nil, badRequest("must specify id or address")
	case id != "" && address != "":
		return nil, badRequest("must specify either id or address")
	case id == r.region.id || address == r.region.rpcAddress():
		return nil, nil // it leads already
	case id != "" && !isUUID(id):
		return nil, badRequest("id must be a uuid: uuid string is wrong length")
	case id != "":
		return nil, badRequest("id %q was not found in the Raft configuration", id)
	}
	if _, err := netip.ParseAddrPort(address); err != nil {
		return nil, badRequest("address must be in IP:port format: %v", err)
	}
	return nil, badRequest("address %q was not found in the Raft configuration", address)
}

func (r *request) vaultUpgradeCheck() (any, error) {
	if err := r.need(acl.Read, acl.Operator); err != nil {
		return nil, err
	}
	r.setIndex(r.region.store.View().LastIndex())
	return map[string]any{
		"JobsWithoutVaultIdentity": []string{}, "OutdatedNodes": []string{}, "VaultTokens": []string{},
		"KnownLeader": true, "LastContact": 0, "NextToken": "",
	}, nil
}
