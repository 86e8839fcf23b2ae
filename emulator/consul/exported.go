package consul

func exportedRoutes() []route { return nil }
