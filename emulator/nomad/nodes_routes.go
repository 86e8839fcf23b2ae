package nomad

func nodeRoutes() []route { return nil }
