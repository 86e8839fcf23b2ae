package consul

import (
	"slices"

	"github.com/drydock/drydock/emulator/rest"
)

// route is a row of the API's table. A last {name...} of a path takes all that is
// left of a request's path, slashes too, and may be empty, as Consul has it.
type route = rest.Route[*request]

// table is the whole API: every route that Consul has, and how far it is served.
func table() []route {
	return slices.Concat(
		aclRoutes(),
		agentConnectRoutes(),
		agentRoutes(),
		catalogRoutes(),
		configEntryRoutes(),
		connectRoutes(),
		coordinateRoutes(),
		discoveryChainRoutes(),
		eventRoutes(),
		exportedRoutes(),
		healthRoutes(),
		intentionRoutes(),
		internalRoutes(),
		keyRoutes(),
		operatorRoutes(),
		peeringRoutes(),
		queryRoutes(),
		sessionRoutes(),
		snapshotRoutes(),
		statusRoutes(),
		transactionRoutes(),
	)
}

func faithful(method, path string, handle func(*request) (any, error)) route {
	return route{Method: method, Path: path, Handle: handle, Does: rest.Faithful}
}

func partial(method, path string, handle func(*request) (any, error), lacks string) route {
	return route{Method: method, Path: path, Handle: handle, Does: rest.Partial, Lacks: lacks}
}

func absent(method, path, why string) route {
	return route{Method: method, Path: path, Lacks: why}
}
