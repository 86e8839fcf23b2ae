package nomad

func agentRoutes() []route { return nil }
