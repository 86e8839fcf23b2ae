package state

func configEntryTables() map[string]table { return nil }
