package consul

import (
	"net/http"
	"slices"
)

func operatorRoutes() []route {
	const oneServer = "a datacenter has one server, which leads: there is nobody to lead instead, and nobody to remove"
	return slices.Concat([]route{
		{http.MethodGet, "/v1/operator/raft/configuration", raftConfiguration, faithful, ""},
		{http.MethodDelete, "/v1/operator/raft/peer", removeRaftPeer, partial, oneServer},
		{http.MethodPost, "/v1/operator/raft/transfer-leader", transferLeader, partial, oneServer},
		{http.MethodGet, "/v1/operator/autopilot/configuration", autopilotConfiguration, faithful, ""},
		{http.MethodPut, "/v1/operator/autopilot/configuration", configureAutopilot, partial, "it is kept, and rules nothing"},
		{http.MethodGet, "/v1/operator/autopilot/health", autopilotHealth, faithful, ""},
		{http.MethodGet, "/v1/operator/autopilot/state", autopilotState, faithful, ""},
		{http.MethodGet, "/v1/operator/keyring", listKeyring, faithful, ""},
		{http.MethodPost, "/v1/operator/keyring", changeKeyring((*keyring).install), faithful, ""},
		{http.MethodPut, "/v1/operator/keyring", changeKeyring((*keyring).use), faithful, ""},
		{http.MethodDelete, "/v1/operator/keyring", changeKeyring((*keyring).remove), faithful, ""},
		{http.MethodGet, "/v1/operator/usage", usage, faithful, ""},
		{http.MethodGet, "/v1/operator/utilization", utilization, faithful, ""},
	}, enterpriseOperatorRoutes())
}

// enterpriseOperatorRoutes are those that only Consul Enterprise has: the
// community edition answers that they do not exist.
func enterpriseOperatorRoutes() []route {
	const enterprise = "Consul Enterprise only"
	return []route{
		{http.MethodGet, "/v1/operator/area", nil, absent, enterprise},
		{http.MethodPost, "/v1/operator/area", nil, absent, enterprise},
		{http.MethodGet, "/v1/operator/area/{id}", nil, absent, enterprise},
		{http.MethodPut, "/v1/operator/area/{id}", nil, absent, enterprise},
		{http.MethodDelete, "/v1/operator/area/{id}", nil, absent, enterprise},
		{http.MethodPut, "/v1/operator/area/{id}/join", nil, absent, enterprise},
		{http.MethodGet, "/v1/operator/area/{id}/members", nil, absent, enterprise},
		{http.MethodGet, "/v1/operator/segment", nil, absent, enterprise},
		{http.MethodGet, "/v1/operator/license", nil, absent, enterprise},
		{http.MethodPut, "/v1/operator/license", nil, absent, enterprise},
		{http.MethodDelete, "/v1/operator/license", nil, absent, enterprise},
		{http.MethodPost, "/v1/operator/audit-hash", nil, absent, enterprise},
	}
}

func utilization(*request) (any, error) {
	return nil, notFound("operator utilization requires Consul Enterprise")
}
