package consul

func peeringRoutes() []route { return nil }
