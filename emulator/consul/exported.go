package consul

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func exportedRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/exported-services", exportedServices),
		faithful(http.MethodGet, "/v1/imported-services", importedServices),
	}
}

// exportedServices lists the services that peers may use, as the entry
// exported-services has them: its wildcard is every service of the catalog.
func exportedServices(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Mesh, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		entry, err := state.Config[api.ExportedServicesConfigEntry](view, api.ExportedServices, "default")
		if err != nil {
			return nil, 0, err
		}
		peers := map[string][]string{}
		if entry != nil {
			peers = exportsOf(view, entry)
		}
		list := []api.ResolvedExportedService{}
		for service, to := range peers {
			slices.Sort(to)
			list = append(list, api.ResolvedExportedService{Service: service, Consumers: api.ResolvedConsumers{Peers: slices.Compact(to)}})
		}
		slices.SortFunc(list, func(a, b api.ResolvedExportedService) int { return strings.Compare(a.Service, b.Service) })
		return list, view.Index(state.TableConfigEntries, state.TableServices), nil
	})
}

// exportsOf are the peers that may use each service.
func exportsOf(view *state.View, entry *api.ExportedServicesConfigEntry) map[string][]string {
	peers := map[string][]string{}
	for _, export := range entry.Services {
		names := []string{export.Name}
		if export.Name == wildcard {
			names = nil
			for service := range store.All[state.Service](view, state.TableServices, "id") {
				if service.Service != consulService && service.Kind == api.ServiceKindTypical {
					names = append(names, service.Service)
				}
			}
			slices.Sort(names)
			names = slices.Compact(names)
		}
		for _, consumer := range export.Consumers {
			if consumer.Peer == "" {
				continue
			}
			for _, name := range names {
				peers[name] = append(peers[name], consumer.Peer)
			}
		}
	}
	return peers
}

// consulService is the service that the servers themselves are.
const consulService = "consul"

// importedServices lists what peers export to this datacenter, which has none.
func importedServices(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Mesh, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		return []api.ImportedService{}, view.Index(state.TableConfigEntries), nil
	})
}
