package consul

func internalRoutes() []route { return nil }
