package consul

import "net/http"

func internalRoutes() []route {
	const ui = "what the web interface asks for; there is none"
	return []route{
		faithful(http.MethodPut, "/v1/internal/service-virtual-ip", assignVirtualIPs),
		absent(http.MethodGet, "/v1/internal/federation-state/{datacenter...}", "for mesh gateways between datacenters"),
		absent(http.MethodGet, "/v1/internal/federation-states", "for mesh gateways between datacenters"),
		absent(http.MethodGet, "/v1/internal/federation-states/mesh-gateways", "for mesh gateways between datacenters"),
		absent(http.MethodGet, "/v1/internal/ui/catalog-overview", ui),
		absent(http.MethodGet, "/v1/internal/ui/exported-services", ui),
		absent(http.MethodGet, "/v1/internal/ui/gateway-intentions/{gateway...}", ui),
		absent(http.MethodGet, "/v1/internal/ui/gateway-services-nodes/{gateway...}", ui),
		absent(http.MethodGet, "/v1/internal/ui/metrics-proxy/{path...}", ui),
		absent(http.MethodGet, "/v1/internal/ui/node/{node...}", ui),
		absent(http.MethodGet, "/v1/internal/ui/nodes", ui),
		absent(http.MethodGet, "/v1/internal/ui/service-topology/{service...}", ui),
		absent(http.MethodGet, "/v1/internal/ui/services", ui),
	}
}
