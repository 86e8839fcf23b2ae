package consul

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// unknownDistance is farther than everything whose distance is known.
const unknownDistance = time.Duration(math.MaxInt64)

// distance is how long a message takes from one node to another and back:
// unknownDistance unless both have coordinates in one segment, or are the same.
func distance(view *state.View, from, to string) time.Duration {
	if state.SameName(from, to) {
		return 0
	}
	for place := range store.All[state.Coordinate](view, state.TableCoordinates, "node", from) {
		if other := view.Coordinate(to, place.Segment); other != nil && place.Coord.IsCompatibleWith(other.Coord) {
			return place.Coord.DistanceTo(other.Coord)
		}
	}
	return unknownDistance
}

// sortByDistance sorts a list by how far the node of each element is from the
// node near, the nearest first; those of which that is not known come last.
// Equals keep their order, and all do when near is empty.
func sortByDistance[T any](view *state.View, near string, list []T, node func(T) string) {
	if near == "" {
		return
	}
	distances := map[string]time.Duration{}
	for _, element := range list {
		name := node(element)
		if _, ok := distances[name]; !ok {
			distances[name] = distance(view, near, name)
		}
	}
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Compare(distances[node(a)], distances[node(b)]) })
}
