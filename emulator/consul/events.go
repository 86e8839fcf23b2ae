package consul

func eventRoutes() []route { return nil }
