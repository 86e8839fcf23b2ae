package nomad

func deploymentRoutes() []route { return nil }
