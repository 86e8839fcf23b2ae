package nomad

func serviceRoutes() []route { return nil }
