package state

import (
	"maps"
	"reflect"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// anyService is how a gateway's entry names all services.
const anyService = "*"

// linkGateways brings the services of all gateways to what the gateways'
// entries say and, where they say all services, to what the catalog has.
func (tx *Tx) linkGateways() {
	wanted, err := tx.gatewayLinks()
	if err != nil {
		panic(err) // PutConfigEntry has written what cannot be read
	}
	for _, old := range store.Collect[GatewayService](tx, TableGatewayServices, "id") {
		key := keyOf(old)
		next, ok := wanted[key]
		if !ok {
			tx.Delete(TableGatewayServices, old)
			tx.Mark(serviceMark(old.Service))
			continue
		}
		next.CreateIndex, next.ModifyIndex = old.CreateIndex, old.ModifyIndex
		if reflect.DeepEqual(next, *old) {
			delete(wanted, key)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(wanted), gatewayKey.compare) {
		row := wanted[key]
		row.ModifyIndex = tx.ChangeIndex()
		if row.CreateIndex == 0 {
			row.CreateIndex = tx.ChangeIndex()
		}
		tx.Insert(TableGatewayServices, &row)
		tx.Mark(serviceMark(row.Service))
	}
}

// gatewayKey is what a row of gateway services is found by.
type gatewayKey struct {
	gateway, service string
	port             int
}

func keyOf(g *GatewayService) gatewayKey { return gatewayKey{g.Gateway, g.Service, g.Port} }

func (k gatewayKey) compare(other gatewayKey) int {
	if c := slices.Compare([]string{k.gateway, k.service}, []string{other.gateway, other.service}); c != 0 {
		return c
	}
	return k.port - other.port
}

// gatewayLinks is what the rows are to be. A service that is named has its own
// row, whether or not all are named too.
func (tx *Tx) gatewayLinks() (map[gatewayKey]GatewayService, error) {
	links := map[gatewayKey]GatewayService{}
	add := func(g GatewayService) {
		if g.Service != anyService {
			links[keyOf(&g)] = g
			return
		}
		g.FromWildcard = true
		for _, g.Service = range tx.linkable(&g) {
			if _, ok := links[keyOf(&g)]; !ok {
				links[keyOf(&g)] = g
			}
		}
	}
	ingress, err := Configs[api.IngressGatewayConfigEntry](&tx.View, api.IngressGateway)
	if err != nil {
		return nil, err
	}
	for _, entry := range ingress {
		for _, l := range entry.Listeners {
			for _, s := range l.Services {
				add(GatewayService{Gateway: entry.Name, GatewayKind: api.ServiceKindIngressGateway, Service: s.Name,
					Port: l.Port, Protocol: l.Protocol, Hosts: s.Hosts})
			}
		}
	}
	terminating, err := Configs[api.TerminatingGatewayConfigEntry](&tx.View, api.TerminatingGateway)
	if err != nil {
		return nil, err
	}
	for _, entry := range terminating {
		for _, named := range []bool{true, false} {
			for _, s := range entry.Services {
				if (s.Name != anyService) == named {
					add(GatewayService{Gateway: entry.Name, GatewayKind: api.ServiceKindTerminatingGateway, Service: s.Name,
						CAFile: s.CAFile, CertFile: s.CertFile, KeyFile: s.KeyFile, SNI: s.SNI, KeepHost: s.DisableAutoHostRewrite})
				}
			}
		}
	}
	return links, nil
}

// linkable are the services that "all services" of a gateway are: for an
// ingress those in the mesh that speak the listener's protocol.
func (tx *Tx) linkable(g *GatewayService) []string {
	var names []string
	for service := range store.All[Service](tx, TableServices, "id") {
		if service.Kind == api.ServiceKindTypical && service.Service != "consul" {
			names = append(names, service.Service)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if g.GatewayKind != api.ServiceKindIngressGateway {
		return names
	}
	return slices.DeleteFunc(names, func(name string) bool {
		_, protocol, err := tx.ServiceDefaults(name)
		return err != nil || protocol != g.Protocol || store.First[Service](tx, TableServices, "connect", name) == nil
	})
}

// gatewayKinds are the kinds of entries that link gateways to services.
var gatewayKinds = []string{api.IngressGateway, api.TerminatingGateway}

// relinkAfter is called when an entry of a kind has changed.
func (tx *Tx) relinkAfter(kind string) {
	if slices.Contains(gatewayKinds, kind) {
		tx.linkGateways()
	} else if kind == api.ServiceDefaults || kind == api.ProxyDefaults {
		tx.relinkGateways()
	}
}

// relinkGateways is called when an instance has come or gone.
func (tx *Tx) relinkGateways() {
	for _, kind := range gatewayKinds {
		if store.First[ConfigEntry](tx, TableConfigEntries, "kind", kind) != nil {
			tx.linkGateways()
			return
		}
	}
}
