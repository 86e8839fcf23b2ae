package state

import (
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableSessions is the table of sessions.
const TableSessions = "sessions"

// Session holds keys for as long as its node is registered, its checks are not
// critical, and whoever made it renews it, if it has a TTL.
type Session struct {
	ID            string // a UUID
	Name          string
	Node          string
	LockDelay     time.Duration // how long nobody can lock what it has held
	Behavior      string        // api.SessionBehaviorRelease or api.SessionBehaviorDelete: what becomes of the keys
	TTL           string        // a duration; empty or zero is none
	NodeChecks    []string      // IDs of checks
	ServiceChecks []api.ServiceCheck
	Checks        []string `json:",omitempty"` // as NodeChecks, by an old name
	CreateIndex   uint64
	ModifyIndex   uint64
}

func sessionTables() store.Schema {
	return store.Schema{
		TableSessions: store.Rows[Session](
			store.Unique("id", store.Field("ID")),
			store.Many("node", store.Folded("Node")),
		),
	}
}

// Session finds a session by its ID; nil when there is none.
func (v *View) Session(id string) *Session {
	return store.First[Session](v, TableSessions, "id", id)
}

// CheckIDs are the checks that it rests on.
func (s *Session) CheckIDs() []string {
	ids := append(append([]string{}, s.NodeChecks...), s.Checks...)
	for _, check := range s.ServiceChecks {
		ids = append(ids, check.ID)
	}
	return ids
}

// CreateSession adds a session of a node that has to be there, and whose checks
// must not be critical: otherwise the error is a *NoNodeError, *NoCheckError
// or *CriticalCheckError.
func (tx *Tx) CreateSession(s Session) error {
	if tx.Node(s.Node) == nil {
		return &NoNodeError{s.Node}
	}
	for _, id := range s.CheckIDs() {
		switch check := tx.Check(s.Node, id); {
		case check == nil:
			return &NoCheckError{s.Node, id}
		case check.Status == api.HealthCritical:
			return &CriticalCheckError{s.Node, id}
		}
	}
	s.CreateIndex, s.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	tx.Insert(TableSessions, &s)
	return nil
}

// NoSessionError says that there is no session of that ID; or none was named.
type NoSessionError struct{ ID string }

func (e *NoSessionError) Error() string {
	if e.ID == "" {
		return "missing session"
	}
	return fmt.Sprintf("invalid session %q", e.ID)
}

// NoCheckError says that a session names a check that its node does not have.
type NoCheckError struct{ Node, CheckID string }

func (e *NoCheckError) Error() string {
	return fmt.Sprintf("node %q has no check %q", e.Node, e.CheckID)
}

// CriticalCheckError says that a session names a check that is critical.
type CriticalCheckError struct{ Node, CheckID string }

func (e *CriticalCheckError) Error() string {
	return fmt.Sprintf("check %q of node %q is critical", e.CheckID, e.Node)
}
