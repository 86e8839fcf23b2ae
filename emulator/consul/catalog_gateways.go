package consul

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// serviceName is the name of a service as some answers have it.
type serviceName struct{ Name string }

// gatewayServiceAnswer says that a gateway is for a service.
type gatewayServiceAnswer struct {
	Gateway         serviceName
	Service         serviceName
	GatewayKind     api.ServiceKind
	Port            int      `json:",omitempty"`
	Protocol        string   `json:",omitempty"`
	Hosts           []string `json:",omitempty"`
	CAFile          string   `json:",omitempty"`
	CertFile        string   `json:",omitempty"`
	KeyFile         string   `json:",omitempty"`
	SNI             string   `json:",omitempty"`
	FromWildcard    bool     `json:",omitempty"`
	ServiceKind     string   `json:",omitempty"`
	CreateIndex     uint64
	ModifyIndex     uint64
	AutoHostRewrite bool `json:",omitempty"`
}

func catalogGatewayServices(r *request) (any, error) {
	name, err := r.named("gateway", "gateway name")
	if err != nil {
		return nil, err
	}
	if err := r.need(acl.Read, acl.Service, name); err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows := []*gatewayServiceAnswer{}
		for _, row := range view.GatewayServices(name) {
			if sees.service(row.Service) {
				rows = append(rows, newGatewayServiceAnswer(view.Unwatched(), row))
			}
		}
		return rows, view.Index(state.TableGatewayServices), nil
	})
}

func newGatewayServiceAnswer(view *state.View, g *state.GatewayService) *gatewayServiceAnswer {
	answer := &gatewayServiceAnswer{
		Gateway: serviceName{g.Gateway}, Service: serviceName{g.Service}, GatewayKind: g.GatewayKind,
		Port: g.Port, Protocol: g.Protocol, Hosts: g.Hosts, CAFile: g.CAFile, CertFile: g.CertFile, KeyFile: g.KeyFile,
		SNI: g.SNI, FromWildcard: g.FromWildcard, CreateIndex: g.CreateIndex, ModifyIndex: g.ModifyIndex,
		AutoHostRewrite: g.GatewayKind == api.ServiceKindTerminatingGateway && !g.KeepHost,
	}
	first := store.First[state.Service](view, state.TableServices, "service", g.Service)
	if first != nil && first.Kind == api.ServiceKindTypical {
		answer.ServiceKind = "service"
	}
	return answer
}
