package consul

import "net/http"

func agentConnectRoutes() []route {
	return []route{
		faithful(http.MethodPost, "/v1/agent/connect/authorize", authorizeConnection),
		faithful(http.MethodGet, "/v1/agent/connect/ca/roots", agentRoots),
		faithful(http.MethodGet, "/v1/agent/connect/ca/leaf/{service...}", agentLeaf),
	}
}
