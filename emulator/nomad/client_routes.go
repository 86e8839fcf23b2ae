package nomad

func clientRoutes() []route { return nil }
