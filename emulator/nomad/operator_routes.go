package nomad

func operatorRoutes() []route { return nil }
