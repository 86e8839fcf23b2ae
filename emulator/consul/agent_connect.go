package consul

import "net/http"

func agentConnectRoutes() []route {
	return []route{
		{http.MethodPost, "/v1/agent/connect/authorize", authorizeConnection, faithful, ""},
	}
}
