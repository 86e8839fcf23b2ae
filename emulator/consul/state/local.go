package state

import (
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/store"
)

// Tables of what agents have been told of.
const (
	TableLocalServices = "local services"
	TableLocalChecks   = "local checks"
)

// LocalService is an instance that is registered with the agent of its node,
// which keeps the catalog so.
type LocalService struct {
	Service
	SidecarOf  string // ID of the instance that it was registered with, and is removed with
	Configured bool   // by the agent's configuration
}

// LocalCheck is a check that is registered with the agent of its node, which
// runs it and keeps the catalog so.
type LocalCheck struct {
	Check
	// Runs is how the agent makes the check; nil when nobody makes it, as that of
	// maintenance.
	Runs *checks.Definition
	// DeregisterAfter is how long the check may be critical before its instance
	// is removed; 0 is for ever.
	DeregisterAfter Duration
	CriticalSince   time.Time // zero when it is not critical
	Configured      bool      // by the agent's configuration
}

func localTables() store.Schema {
	return store.Schema{
		TableLocalServices: store.Rows[LocalService](
			store.Unique("id", store.Both(store.Folded("Node"), store.Field("ID"))),
			store.Many("node", store.Folded("Node")),
		),
		TableLocalChecks: store.Rows[LocalCheck](
			store.Unique("id", store.Both(store.Folded("Node"), store.Field("CheckID"))),
			store.Many("node", store.Folded("Node")),
			store.Many("instance", store.Both(store.Folded("Node"), store.Field("ServiceID"))),
		),
	}
}

// LocalService finds an instance by the agent's node and its ID; nil when there is none.
func (v *View) LocalService(node, id string) *LocalService {
	return store.First[LocalService](v, TableLocalServices, "id", node, id)
}

// LocalCheck finds a check by the agent's node and its ID; nil when there is none.
func (v *View) LocalCheck(node, id string) *LocalCheck {
	return store.First[LocalCheck](v, TableLocalChecks, "id", node, id)
}

// PutLocalService registers an instance with its agent, or changes it, and does
// the same in the catalog. The errors are those of PutService.
func (tx *Tx) PutLocalService(s LocalService) error {
	tx.Insert(TableLocalServices, &s)
	return tx.PutService(s.Service)
}

// DeleteLocalService removes an instance, with its checks and its sidecar, from
// its agent and from the catalog.
func (tx *Tx) DeleteLocalService(node, id string) {
	if s := tx.LocalService(node, id); s != nil {
		tx.Delete(TableLocalServices, s)
	}
	for _, c := range store.Collect[LocalCheck](tx, TableLocalChecks, "instance", node, id) {
		tx.Delete(TableLocalChecks, c)
	}
	tx.DeleteService(node, id)
	for _, s := range store.Collect[LocalService](tx, TableLocalServices, "node", node) {
		if s.SidecarOf == id {
			tx.DeleteLocalService(node, s.ID)
		}
	}
}

// PutLocalCheck registers a check with its agent, or changes it, and does the
// same in the catalog. One that was there keeps what it has found. The errors
// are those of PutCheck.
func (tx *Tx) PutLocalCheck(c LocalCheck) error {
	if old := tx.LocalCheck(c.Node, c.CheckID); old != nil {
		c.Status, c.Output, c.CriticalSince = old.Status, old.Output, old.CriticalSince
	}
	return tx.setLocalCheck(c)
}

// ReportLocalCheck gives a check what it has found. It does nothing when the
// check is not there.
func (tx *Tx) ReportLocalCheck(node, id, status, output string) error {
	old := tx.LocalCheck(node, id)
	if old == nil || old.Status == status && old.Output == output {
		return nil
	}
	c := *old
	c.Status, c.Output = status, output
	return tx.setLocalCheck(c)
}

func (tx *Tx) setLocalCheck(c LocalCheck) error {
	switch {
	case c.Status != api.HealthCritical:
		c.CriticalSince = time.Time{}
	case c.CriticalSince.IsZero():
		c.CriticalSince = tx.Now().UTC()
	}
	tx.Insert(TableLocalChecks, &c)
	return tx.PutCheck(c.Check)
}

// DeleteLocalCheck removes a check from its agent and from the catalog.
func (tx *Tx) DeleteLocalCheck(node, id string) {
	if c := tx.LocalCheck(node, id); c != nil {
		tx.Delete(TableLocalChecks, c)
	}
	tx.DeleteCheck(node, id)
}
