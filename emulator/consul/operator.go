package consul

func operatorRoutes() []route { return nil }
