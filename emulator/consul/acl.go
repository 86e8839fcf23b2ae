package consul

func aclRoutes() []route { return nil }
