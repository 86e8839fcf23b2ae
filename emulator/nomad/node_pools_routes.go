package nomad

func nodePoolRoutes() []route { return nil }
