package rules

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTheIndexIsAMap plays the same changes to an index and to a map; few
// homes make many collisions.
func TestTheIndexIsAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		identities := map[uint32]identity{}
		x := index{identity: func(n uint32) identity { return identities[n] }}
		want := map[identity]uint32{}
		for range rapid.IntRange(1, 200).Draw(t, "changes") {
			id := identity{rapid.ByteMax(9).Draw(t, "id"), 7: rapid.ByteMax(12).Draw(t, "home")}
			if _, ok := want[id]; ok {
				x.remove(id)
				delete(want, id)
			} else {
				n := uint32(len(identities))
				identities[n], want[id] = id, n
				x.add(n)
			}
			require.Equal(t, len(want), x.count)
			for id, n := range want {
				found, ok := x.find(id)
				require.True(t, ok)
				require.Equal(t, n, found)
			}
			if _, ok := want[id]; !ok {
				_, ok := x.find(id)
				require.False(t, ok)
			}
		}
	})
}
