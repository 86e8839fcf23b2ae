package nomad

func scalingRoutes() []route { return nil }
