package consul

func intentionRoutes() []route { return nil }
