package consul

import "net/http"

func internalRoutes() []route {
	const ui = "what the web interface asks for; there is none"
	return []route{
		{http.MethodPut, "/v1/internal/service-virtual-ip", assignVirtualIPs, faithful, ""},
		{http.MethodGet, "/v1/internal/federation-state/{datacenter}", nil, absent, "for mesh gateways between datacenters"},
		{http.MethodGet, "/v1/internal/federation-states", nil, absent, "for mesh gateways between datacenters"},
		{http.MethodGet, "/v1/internal/federation-states/mesh-gateways", nil, absent, "for mesh gateways between datacenters"},
		{http.MethodGet, "/v1/internal/ui/catalog-overview", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/exported-services", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/gateway-intentions/{gateway}", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/gateway-services-nodes/{gateway}", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/metrics-proxy/{path}", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/node/{node}", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/nodes", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/service-topology/{service}", nil, absent, ui},
		{http.MethodGet, "/v1/internal/ui/services", nil, absent, ui},
	}
}
