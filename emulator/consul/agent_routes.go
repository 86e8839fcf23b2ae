package consul

import "slices"

func agentRoutes() []route {
	return slices.Concat(agentServiceRoutes(), agentCheckRoutes(), memberRoutes(), selfRoutes(), debugRoutes())
}
