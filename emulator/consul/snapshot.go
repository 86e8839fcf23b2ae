package consul

func snapshotRoutes() []route { return nil }
