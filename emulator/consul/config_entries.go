package consul

func configEntryRoutes() []route { return nil }
