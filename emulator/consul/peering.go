package consul

import (
	"net/http"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
)

const noPeering = "clusters are not peered: that takes gRPC between real ones; use several datacenters"

func peeringRoutes() []route {
	return []route{
		partial(http.MethodGet, "/v1/peerings", listPeerings, noPeering),
		partial(http.MethodGet, "/v1/peering/{name...}", getPeering, noPeering),
		partial(http.MethodDelete, "/v1/peering/{name...}", deletePeering, noPeering),
		absent(http.MethodPost, "/v1/peering/token", noPeering),
		absent(http.MethodPost, "/v1/peering/establish", noPeering),
	}
}

func listPeerings(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Peering, ""); err != nil {
		return nil, err
	}
	r.setIndex(1)
	return []api.Peering{}, nil
}

func getPeering(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Peering, ""); err != nil {
		return nil, err
	}
	return nil, notFound("Peering not found for %q", r.PathValue("name"))
}

// deletePeering takes what is not there for deleted.
func deletePeering(r *request) (any, error) {
	return nil, r.need(acl.Write, acl.Peering, "")
}
