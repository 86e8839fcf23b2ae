package state

import (
	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/go-memdb"

	"github.com/drydock/drydock/emulator/store"
)

// TableGatewayServices is the table of the services that ingress and
// terminating gateways are for. The config entries of gateways fill it.
const TableGatewayServices = "gateway-services"

// GatewayService says that a gateway is for a service.
type GatewayService struct {
	Gateway      string
	GatewayKind  api.ServiceKind
	Service      string
	Port         int
	Protocol     string
	Hosts        []string
	CAFile       string
	CertFile     string
	KeyFile      string
	SNI          string
	FromWildcard bool
	// KeepHost is whether a terminating gateway leaves the name of the host in requests alone.
	KeepHost    bool
	CreateIndex uint64
	ModifyIndex uint64
}

func gatewayServiceTable() store.Table {
	return store.Rows[GatewayService](
		store.Unique("id", store.Both(store.Folded("Gateway"), store.Folded("Service"), &memdb.IntFieldIndex{Field: "Port"})),
		store.Many("gateway", store.Folded("Gateway")),
		store.Many("service", store.Folded("Service")),
	)
}

// GatewayServices are the services of a gateway.
func (v *View) GatewayServices(gateway string) []*GatewayService {
	return store.Collect[GatewayService](v, TableGatewayServices, "gateway", gateway)
}

// GatewaysOf are the gateways of a kind that are for a service.
func (v *View) GatewaysOf(kind api.ServiceKind, service string) []string {
	var gateways []string
	for row := range store.All[GatewayService](v, TableGatewayServices, "service", service) {
		if row.GatewayKind == kind {
			gateways = append(gateways, row.Gateway)
		}
	}
	return gateways
}
