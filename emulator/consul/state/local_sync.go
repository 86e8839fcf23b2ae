package state

import (
	"reflect"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/store"
)

// Member is what the catalog has of a node because an agent runs there: the
// node, its own service, which is nil unless it is a server, and the check that
// tells that it is alive.
type Member struct {
	Node  Node
	Own   *Service
	Alive Check
}

// SyncMember makes the catalog say of an agent's node what the agent says:
// what others have changed or removed is put right, and what the agent does not
// know is removed. The tags of an instance that lets others change them are
// taken over from the catalog instead. It returns how much was put right.
func (tx *Tx) SyncMember(m Member) (changed int, err error) {
	if err := tx.putMember(m); err != nil {
		return 0, err
	}
	node := m.Node.Node
	for _, s := range store.Collect[LocalService](tx, TableLocalServices, "node", node) {
		did, err := tx.syncService(s)
		if err != nil {
			return 0, err
		}
		changed += did
	}
	for _, c := range store.Collect[LocalCheck](tx, TableLocalChecks, "node", node) {
		before := tx.Check(node, c.CheckID)
		if err := tx.PutCheck(c.Check); err != nil {
			return 0, err
		}
		if tx.Check(node, c.CheckID) != before {
			changed++
		}
	}
	return changed + tx.dropUnknown(m), nil
}

func (tx *Tx) putMember(m Member) error {
	if err := tx.PutNode(m.Node); err != nil {
		return err
	}
	if m.Own != nil {
		if err := tx.PutService(*m.Own); err != nil {
			return err
		}
	}
	return tx.PutCheck(m.Alive)
}

func (tx *Tx) syncService(s *LocalService) (changed int, err error) {
	before := tx.Service(s.Node, s.ID)
	if before != nil && s.EnableTagOverride && !slices.Equal(before.Tags, s.Tags) {
		taken := *s
		taken.Tags = before.Tags
		tx.Insert(TableLocalServices, &taken)
		s = &taken
		changed++
	}
	if err := tx.PutService(s.Service); err != nil {
		return 0, err
	}
	if tx.Service(s.Node, s.ID) != before {
		changed++
	}
	return changed, nil
}

// dropUnknown removes from the catalog what is on the node and not the agent's.
func (tx *Tx) dropUnknown(m Member) (dropped int) {
	node := m.Node.Node
	for _, s := range store.Collect[Service](tx, TableServices, "node", node) {
		own := m.Own != nil && s.ID == m.Own.ID
		if !own && tx.LocalService(node, s.ID) == nil {
			tx.DeleteService(node, s.ID)
			dropped++
		}
	}
	for _, c := range store.Collect[Check](tx, TableChecks, "node", node) {
		if c.CheckID != m.Alive.CheckID && tx.LocalCheck(node, c.CheckID) == nil {
			tx.DeleteCheck(node, c.CheckID)
			dropped++
		}
	}
	return dropped
}

// RestartLocalChecks is called when an agent starts: what the checks of its
// node found before says nothing any more, those excepted that are told from
// outside.
func (tx *Tx) RestartLocalChecks(node string) error {
	for _, old := range store.Collect[LocalCheck](tx, TableLocalChecks, "node", node) {
		if old.Runs == nil || old.Runs.TTL > 0 {
			continue
		}
		c := *old
		c.Status, c.Output = old.Runs.InitialStatus(), ""
		if reflect.DeepEqual(c, *old) {
			continue
		}
		if err := tx.setLocalCheck(c); err != nil {
			return err
		}
	}
	return nil
}

// RemoveConfigured removes what an agent has by its configuration, except the
// instances and checks with the given IDs, and the checks of sidecars.
func (tx *Tx) RemoveConfigured(node string, keepServices, keepChecks map[string]bool) {
	for _, s := range store.Collect[LocalService](tx, TableLocalServices, "node", node) {
		if s.Configured && s.SidecarOf == "" && !keepServices[s.ID] {
			tx.DeleteLocalService(node, s.ID)
		}
	}
	for _, c := range store.Collect[LocalCheck](tx, TableLocalChecks, "node", node) {
		if !c.Configured || keepChecks[c.CheckID] {
			continue
		}
		if of := tx.LocalService(node, c.ServiceID); of == nil || of.SidecarOf == "" {
			tx.DeleteLocalCheck(node, c.CheckID)
		}
	}
}

// OverdueServices are the instances of a node that one of their checks has had
// critical for longer than it allows, by ID, with the ID of that check.
func (v *View) OverdueServices(node string, now time.Time) map[string]string {
	overdue := map[string]string{}
	for c := range store.All[LocalCheck](v, TableLocalChecks, "node", node) {
		limit := time.Duration(c.DeregisterAfter)
		if c.ServiceID != "" && limit > 0 && !c.CriticalSince.IsZero() && now.Sub(c.CriticalSince) > limit {
			overdue[c.ServiceID] = c.CheckID
		}
	}
	return overdue
}
