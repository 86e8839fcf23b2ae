package nomad

func namespaceRoutes() []route { return nil }
