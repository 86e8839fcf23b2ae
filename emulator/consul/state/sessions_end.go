package state

import (
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// EndSession ends a session: the keys that it holds are released or deleted,
// as it says, and cannot be locked again before its lock delay is over. Prepared
// queries that are bound to it go too. It does nothing when there is none.
func (tx *Tx) EndSession(id string) {
	session := tx.Session(id)
	if session == nil {
		return
	}
	tx.Delete(TableSessions, session)
	tx.endQueriesOfSession(id)
	for _, held := range store.Collect[Key](tx, TableKeys, "session", id) {
		if session.Behavior == api.SessionBehaviorDelete {
			tx.DeleteKey(held.Key)
		} else {
			released := *held
			released.Session, released.ModifyIndex = "", tx.ChangeIndex()
			tx.Insert(TableKeys, &released)
		}
		tx.delayLock(held.Key, session.LockDelay)
	}
}

// endSessionsOfCheck ends the sessions that rest on a check that is critical or gone.
func (tx *Tx) endSessionsOfCheck(node, check string) {
	for _, session := range store.Collect[Session](tx, TableSessions, "node", node) {
		if slices.Contains(session.CheckIDs(), check) {
			tx.EndSession(session.ID)
		}
	}
}

// endSessionsOfNode ends the sessions of a node that is gone.
func (tx *Tx) endSessionsOfNode(node string) {
	for _, session := range store.Collect[Session](tx, TableSessions, "node", node) {
		tx.EndSession(session.ID)
	}
}
