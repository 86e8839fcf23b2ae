package consul

import (
	"fmt"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// chainKinds are the kinds of entries that chains are made of.
var chainKinds = []string{api.ServiceRouter, api.ServiceSplitter, api.ServiceResolver}

// checkChains is an error when, after the writing or deletion of an entry, a
// chain cannot be worked out any more.
func (d *datacenter) checkChains(view *state.View, changed api.ConfigEntry) error {
	kind := changed.GetKind()
	if !slices.Contains(chainKinds, kind) && kind != api.ServiceDefaults && kind != api.ProxyDefaults &&
		kind != api.ServiceIntentions && kind != api.IngressGateway {
		return nil
	}
	checked := map[string]bool{}
	for _, kind := range chainKinds {
		for row := range store.All[state.ConfigEntry](view, state.TableConfigEntries, "kind", kind) {
			if checked[row.Name] {
				continue
			}
			checked[row.Name] = true
			if _, err := d.compile(view, row.Name, d.name, chainOverrides{}); err != nil {
				return err
			}
		}
	}
	if err := checkPermissions(view); err != nil {
		return err
	}
	return checkListeners(view)
}

// checkPermissions is an error when intentions ask about requests of a service
// that does not speak any.
func checkPermissions(view *state.View) error {
	intentions, err := state.Configs[api.ServiceIntentionsConfigEntry](view, api.ServiceIntentions)
	if err != nil {
		return err
	}
	for _, entry := range intentions {
		asks := slices.ContainsFunc(entry.Sources, func(s *api.SourceIntention) bool { return len(s.Permissions) > 0 })
		if !asks {
			continue
		}
		_, protocol, err := view.ServiceDefaults(entry.Name)
		if err != nil {
			return err
		}
		if !perRequest(protocol) {
			return fmt.Errorf("service %q has protocol %q, which is incompatible with L7 intentions permissions", entry.Name, protocol)
		}
	}
	return nil
}

// checkListeners is an error when a listener of an ingress gateway does not
// speak the protocol of a service behind it.
func checkListeners(view *state.View) error {
	gateways, err := state.Configs[api.IngressGatewayConfigEntry](view, api.IngressGateway)
	if err != nil {
		return err
	}
	for _, gateway := range gateways {
		for _, l := range gateway.Listeners {
			for _, service := range l.Services {
				if service.Name == wildcard || l.Protocol == "tcp" {
					continue
				}
				_, protocol, err := view.ServiceDefaults(service.Name)
				if err != nil {
					return err
				}
				if protocol != l.Protocol {
					return fmt.Errorf("service %q has protocol %q, which is incompatible with defined listener protocol %q",
						service.Name, protocol, l.Protocol)
				}
			}
		}
	}
	return nil
}
