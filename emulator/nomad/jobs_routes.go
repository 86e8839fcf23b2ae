package nomad

func jobRoutes() []route { return nil }
