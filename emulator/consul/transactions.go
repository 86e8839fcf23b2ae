package consul

func transactionRoutes() []route { return nil }
