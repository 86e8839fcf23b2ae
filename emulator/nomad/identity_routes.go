package nomad

func identityRoutes() []route { return nil }
