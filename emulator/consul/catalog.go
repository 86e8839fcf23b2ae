package consul

func catalogRoutes() []route { return nil }
