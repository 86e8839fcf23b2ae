package consul

func queryRoutes() []route { return nil }
