package nomad

func aclRoutes() []route { return nil }
