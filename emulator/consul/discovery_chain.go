package consul

func discoveryChainRoutes() []route { return nil }
