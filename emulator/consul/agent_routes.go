package consul

import (
	"net/http"
	"slices"
)

func agentRoutes() []route {
	return slices.Concat(agentServiceRoutes(), agentCheckRoutes(), []route{
		{http.MethodPut, "/v1/agent/maintenance", agentMaintenance, faithful, ""},
	})
}
