package consul

import "slices"

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
