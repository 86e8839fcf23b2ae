package nomad

func volumeRoutes() []route { return nil }
