package consul

func healthRoutes() []route { return nil }
