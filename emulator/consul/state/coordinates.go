package state

func coordinateTables() map[string]table { return nil }
