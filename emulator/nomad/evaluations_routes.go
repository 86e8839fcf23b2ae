package nomad

func evaluationRoutes() []route { return nil }
