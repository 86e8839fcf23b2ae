package consul

import (
	"net/http"
)

func catalogRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/catalog/register", registerEntity),
		faithful(http.MethodPut, "/v1/catalog/deregister", deregisterEntity),
		faithful(http.MethodGet, "/v1/catalog/datacenters", catalogDatacenters),
		faithful(http.MethodGet, "/v1/catalog/nodes", catalogNodes),
		faithful(http.MethodGet, "/v1/catalog/services", catalogServices),
		faithful(http.MethodGet, "/v1/catalog/service/{service...}", catalogService),
		faithful(http.MethodGet, "/v1/catalog/connect/{service...}", catalogConnect),
		faithful(http.MethodGet, "/v1/catalog/node/{node...}", catalogNode),
		faithful(http.MethodGet, "/v1/catalog/node-services/{node...}", catalogNodeServices),
		partial(http.MethodGet, "/v1/catalog/gateway-services/{gateway...}", catalogGatewayServices, "API gateways have none"),
	}
}
