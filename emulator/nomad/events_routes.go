package nomad

func eventRoutes() []route { return nil }
