package nomad

import (
	"slices"

	"github.com/drydock/drydock/emulator/rest"
)

// route is a row of the API's table.
type route = rest.Route[*request]

// table is the whole API: every route that Nomad has, and how far it is served.
func table() []route {
	return slices.Concat(
		aclRoutes(),
		agentRoutes(),
		allocationRoutes(),
		clientRoutes(),
		deploymentRoutes(),
		enterpriseRoutes(),
		evaluationRoutes(),
		eventRoutes(),
		identityRoutes(),
		jobRoutes(),
		keyringRoutes(),
		metricRoutes(),
		namespaceRoutes(),
		nodeRoutes(),
		nodePoolRoutes(),
		operatorRoutes(),
		scalingRoutes(),
		searchRoutes(),
		serviceRoutes(),
		snapshotRoutes(),
		statusRoutes(),
		systemRoutes(),
		variableRoutes(),
		volumeRoutes(),
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
