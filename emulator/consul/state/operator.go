package state

func operatorTables() map[string]table { return nil }
