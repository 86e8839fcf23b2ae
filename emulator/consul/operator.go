package consul

import (
	"net/http"
	"slices"
)

func operatorRoutes() []route {
	const oneServer = "a datacenter has one server, which leads: there is nobody to lead instead, and nobody to remove"
	return slices.Concat([]route{
		faithful(http.MethodGet, "/v1/operator/raft/configuration", raftConfiguration),
		partial(http.MethodDelete, "/v1/operator/raft/peer", removeRaftPeer, oneServer),
		partial(http.MethodPost, "/v1/operator/raft/transfer-leader", transferLeader, oneServer),
		faithful(http.MethodGet, "/v1/operator/autopilot/configuration", autopilotConfiguration),
		partial(http.MethodPut, "/v1/operator/autopilot/configuration", configureAutopilot, "it is kept, and rules nothing"),
		faithful(http.MethodGet, "/v1/operator/autopilot/health", autopilotHealth),
		faithful(http.MethodGet, "/v1/operator/autopilot/state", autopilotState),
		faithful(http.MethodGet, "/v1/operator/keyring", listKeyring),
		faithful(http.MethodPost, "/v1/operator/keyring", changeKeyring((*keyring).install)),
		faithful(http.MethodPut, "/v1/operator/keyring", changeKeyring((*keyring).use)),
		faithful(http.MethodDelete, "/v1/operator/keyring", changeKeyring((*keyring).remove)),
		faithful(http.MethodGet, "/v1/operator/usage", usage),
		faithful(http.MethodGet, "/v1/operator/utilization", utilization),
	}, enterpriseOperatorRoutes())
}

// enterpriseOperatorRoutes are those that only Consul Enterprise has: the
// community edition answers that they do not exist.
func enterpriseOperatorRoutes() []route {
	const enterprise = "Consul Enterprise only"
	return []route{
		absent(http.MethodGet, "/v1/operator/area", enterprise),
		absent(http.MethodPost, "/v1/operator/area", enterprise),
		absent(http.MethodGet, "/v1/operator/area/{id...}", enterprise),
		absent(http.MethodPut, "/v1/operator/area/{id...}", enterprise),
		absent(http.MethodDelete, "/v1/operator/area/{id...}", enterprise),
		absent(http.MethodPut, "/v1/operator/area/{id}/join", enterprise),
		absent(http.MethodGet, "/v1/operator/area/{id}/members", enterprise),
		absent(http.MethodGet, "/v1/operator/segment", enterprise),
		absent(http.MethodGet, "/v1/operator/license", enterprise),
		absent(http.MethodPut, "/v1/operator/license", enterprise),
		absent(http.MethodDelete, "/v1/operator/license", enterprise),
		absent(http.MethodPost, "/v1/operator/audit-hash", enterprise),
	}
}

func utilization(*request) (any, error) {
	return nil, notFound("operator utilization requires Consul Enterprise")
}
