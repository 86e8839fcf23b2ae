package state

import (
	"reflect"
	"strings"

	"github.com/hashicorp/serf/coordinate"

	"github.com/drydock/drydock/emulator/store"
)

// TableCoordinates is the table of where nodes are in the network.
const TableCoordinates = "coordinates"

// Coordinate is where a node is: the distance of two is the time a message
// takes from one to the other and back. A node has one for each segment.
type Coordinate struct {
	Node    string
	Segment string // of the network; empty is the only one there usually is
	Coord   *coordinate.Coordinate
}

func coordinateTables() store.Schema {
	return store.Schema{
		TableCoordinates: store.Rows[Coordinate](
			store.Unique("id", coordinateIndex{}),
			store.Many("node", store.Folded("Node")),
		),
	}
}

// coordinateIndex leads from a node and a segment, which may be empty.
type coordinateIndex struct{}

func (coordinateIndex) FromObject(row any) (bool, []byte, error) {
	c := row.(*Coordinate)
	return true, coordinateKey(c.Node, c.Segment), nil
}

func (coordinateIndex) FromArgs(args ...any) ([]byte, error) {
	return coordinateKey(args[0].(string), args[1].(string)), nil
}

func coordinateKey(node, segment string) []byte {
	return []byte(strings.ToLower(node) + "\x00" + segment + "\x00")
}

// Coordinate finds where a node is in a segment; nil when that is not known.
func (v *View) Coordinate(node, segment string) *Coordinate {
	return store.First[Coordinate](v, TableCoordinates, "id", node, segment)
}

// PutCoordinate says where a node is, which has to be there: otherwise the
// error is a *NoNodeError.
func (tx *Tx) PutCoordinate(c Coordinate) error {
	node := tx.Node(c.Node)
	if node == nil {
		return &NoNodeError{c.Node}
	}
	c.Node = node.Node
	if old := tx.Coordinate(c.Node, c.Segment); old == nil || !reflect.DeepEqual(*old, c) {
		tx.Insert(TableCoordinates, &c)
	}
	return nil
}

// deleteCoordinates forgets where a node is that is gone.
func (tx *Tx) deleteCoordinates(node string) {
	for _, c := range store.Collect[Coordinate](tx, TableCoordinates, "node", node) {
		tx.Delete(TableCoordinates, c)
	}
}
