package state

func sessionTables() map[string]table { return nil }

// endSessionsOfCheck ends the sessions that rest on a check that is critical or gone.
func (tx *Tx) endSessionsOfCheck(node, check string) {}

// endSessionsOfNode ends the sessions of a node that is gone.
func (tx *Tx) endSessionsOfNode(node string) {}
