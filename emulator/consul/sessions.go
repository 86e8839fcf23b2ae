package consul

func sessionRoutes() []route { return nil }
