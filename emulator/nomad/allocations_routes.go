package nomad

func allocationRoutes() []route { return nil }
