package consul

import "net/http"

func statusRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/status/leader", statusLeader),
		faithful(http.MethodGet, "/v1/status/peers", statusPeers),
	}
}

func statusLeader(r *request) (any, error) { return r.dc.leader(), nil }

func statusPeers(r *request) (any, error) { return []string{r.dc.leader()}, nil }

// leader is the address of the datacenter's one server, as Raft would name it.
func (d *datacenter) leader() string { return d.agents[0].serverAddress() }
