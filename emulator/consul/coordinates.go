package consul

import "github.com/drydock/drydock/emulator/consul/state"

func coordinateRoutes() []route { return nil }

// sortByDistance sorts a list by how near its rows' nodes are to a node.
func sortByDistance[T any](view *state.View, near string, list []T, node func(T) string) {
	for i := range list {
		if state.SameName(node(list[i]), near) {
			list[0], list[i] = list[i], list[0]
			return
		}
	}
}
