package consul

func agentRoutes() []route { return nil }
