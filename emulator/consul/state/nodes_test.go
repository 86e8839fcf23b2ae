package state

import (
	"testing"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/store"
)

const (
	idA = "11111111-1111-1111-1111-111111111111"
	idB = "22222222-2222-2222-2222-222222222222"
)

// write changes the store; the change has to succeed.
func write(t *testing.T, s *Store, change func(*Tx) error) {
	t.Helper()
	require.NoError(t, s.Write(change))
}

func putNode(t *testing.T, s *Store, n Node) {
	t.Helper()
	write(t, s, func(tx *Tx) error { return tx.PutNode(n) })
}

func putService(t *testing.T, s *Store, service Service) {
	t.Helper()
	write(t, s, func(tx *Tx) error { return tx.PutService(service) })
}

func putCheck(t *testing.T, s *Store, c Check) {
	t.Helper()
	write(t, s, func(tx *Tx) error { return tx.PutCheck(c) })
}

func TestANodeThatIsAsItWasKeepsItsIndex(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{Node: "a", Address: "10.0.0.1"})
	putNode(t, s, Node{Node: "a", Address: "10.0.0.1"})
	assert.EqualValues(t, 1, s.View().LastIndex())
	putNode(t, s, Node{Node: "a", Address: "10.0.0.2"})
	assert.EqualValues(t, 1, s.View().Node("A").CreateIndex)
	assert.EqualValues(t, 2, s.View().Node("A").ModifyIndex)
}

func TestANodeIsRenamedByItsID(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{ID: idA, Node: "old"})
	putService(t, s, Service{Node: "old", ID: "web", Service: "web"})
	putNode(t, s, Node{ID: idA, Node: "new"})

	view := s.View()
	assert.Nil(t, view.Node("old"))
	assert.Nil(t, view.Service("old", "web"))
	require.NotNil(t, view.Node("new"))
	assert.EqualValues(t, 1, view.Node("new").CreateIndex)
	assert.Equal(t, "new", view.NodeWithID(idA).Node)
}

func TestTheNameOfANodeThatIsAliveIsTaken(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{ID: idA, Node: "a", Address: "10.0.0.1"})
	putCheck(t, s, Check{Node: "a", CheckID: SerfHealth, Status: api.HealthPassing})
	rename := func(tx *Tx) error { return tx.PutNode(Node{ID: idB, Node: "a", Address: "10.0.0.3"}) }

	var taken *NodeTakenError
	require.ErrorAs(t, s.Write(rename), &taken)
	assert.EqualError(t, taken, `Error while renaming Node ID: "`+idB+
		`": Node name a is reserved by node `+idA+` with name a (10.0.0.1)`)

	putNode(t, s, Node{ID: idB, Node: "b", Address: "10.0.0.2"})
	require.ErrorAs(t, s.Write(rename), &taken)
	assert.Contains(t, taken.Error(), `"`+idB+`" (10.0.0.3)`)

	putCheck(t, s, Check{Node: "a", CheckID: SerfHealth, Status: api.HealthCritical})
	require.NoError(t, s.Write(rename))
	assert.Equal(t, "a", s.View().NodeWithID(idB).Node)
	assert.Nil(t, s.View().NodeWithID(idA))
	assert.Nil(t, s.View().Node("b"))
}

func TestRemovingANodeRemovesWhatIsOnIt(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	putNode(t, s, Node{Node: "a"})
	putService(t, s, Service{Node: "a", ID: "web", Service: "web"})
	putCheck(t, s, Check{Node: "a", CheckID: "alive"})
	putCheck(t, s, Check{Node: "a", CheckID: "answers", ServiceID: "web"})
	write(t, s, func(tx *Tx) error { tx.DeleteNode("a"); return nil })

	view := s.View()
	assert.Empty(t, store.Collect[Node](view, TableNodes, "id"))
	assert.Empty(t, store.Collect[Service](view, TableServices, "id"))
	assert.Empty(t, store.Collect[Check](view, TableChecks, "id"))
	write(t, s, func(tx *Tx) error { tx.DeleteNode("a"); return nil }) // nothing to do
	assert.Equal(t, view.LastIndex(), s.View().LastIndex())
}
