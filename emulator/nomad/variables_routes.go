package nomad

func variableRoutes() []route { return nil }
