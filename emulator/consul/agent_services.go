package consul

import (
	"fmt"
	"net/http"

	"github.com/hashicorp/consul/api"
	"github.com/mitchellh/hashstructure/v2"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/filter"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func agentServices(r *request) (any, error) {
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	asked, err := filter.New[*api.AgentService](r.query.Get("filter"))
	if err != nil {
		return nil, err
	}
	sees, err := r.sight()
	if err != nil {
		return nil, err
	}
	services := map[string]*api.AgentService{}
	for s := range store.All[state.LocalService](r.agent.dc.store.View(), state.TableLocalServices, "node", r.agent.options.Node) {
		if !sees.service(s.Service.Service) {
			continue
		}
		if answer := r.agent.serviceAnswer(s); asked.Keeps(answer) {
			services[s.ID] = answer
		}
	}
	return services, nil
}

// agentService answers with one instance. It blocks while what the client has,
// by its hash, is what there is.
func agentService(r *request) (any, error) {
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	id := r.PathValue("service")
	return r.blockOnHash(func(view *state.View) (any, string, error) {
		s := view.LocalService(r.agent.options.Node, id)
		if s == nil {
			return nil, "", notFound("unknown service ID: %s", id)
		}
		if err := r.need(acl.Read, acl.Service, s.Service.Service); err != nil {
			return nil, "", err
		}
		answer := r.agent.serviceAnswer(s)
		hash, err := hashstructure.Hash(answer, hashstructure.FormatV1, nil)
		if err != nil {
			return nil, "", err
		}
		answer.ContentHash = fmt.Sprintf("%x", hash)
		return answer, answer.ContentHash, nil
	})
}

// serviceAnswer is an instance as the agent tells it.
func (a *agent) serviceAnswer(s *state.LocalService) *api.AgentService {
	answer := &api.AgentService{
		Kind: s.Kind, ID: s.ID, Service: s.Service.Service, Tags: s.Tags, Meta: s.Meta, Port: s.Port, Ports: s.Ports,
		Address: s.Address, SocketPath: s.SocketPath, TaggedAddresses: s.TaggedAddresses, Weights: s.Weights,
		EnableTagOverride: s.EnableTagOverride, Proxy: s.Proxy, Connect: s.Connect, Datacenter: a.dc.name,
	}
	if answer.Meta == nil {
		answer.Meta = map[string]string{} // the agent tells it so, the catalog as null
	}
	if s.Locality != nil {
		answer.Locality = &api.Locality{Region: s.Locality.Region, Zone: s.Locality.Zone}
	}
	return answer
}

func registerService(r *request) (any, error) {
	type Alias ServiceDefinition // the name that errors about the body have
	var d ServiceDefinition
	if err := r.decodeDefinition(&struct{ *Alias }{(*Alias)(&d)}); err != nil {
		return nil, err
	}
	if err := r.agent.checkService(d, false); err != nil {
		return nil, err
	}
	if err := r.mayRegisterService(d); err != nil {
		return nil, err
	}
	replace := r.has("replace-existing-checks") && r.query.Get("replace-existing-checks") != "false"
	return nil, r.agent.register(d, replace, false)
}

// mayRegisterService needs the permission for the service, and for the one that
// has the instance's ID now.
func (r *request) mayRegisterService(d ServiceDefinition) error {
	if err := r.need(acl.Write, acl.Service, d.Name); err != nil {
		return err
	}
	if hasSidecar(d) {
		id := r.agent.instance(d).ID
		if err := r.need(acl.Write, acl.Service, sidecarOf(d, id).Name); err != nil {
			return err
		}
	}
	old := r.agent.dc.store.View().LocalService(r.agent.options.Node, r.agent.instance(d).ID)
	if old == nil {
		return nil
	}
	return r.need(acl.Write, acl.Service, old.Service.Service)
}

// registered is the instance that the path names, which the caller may change.
func (r *request) registered() (*state.LocalService, error) {
	id := r.PathValue("service")
	s := r.agent.dc.store.View().LocalService(r.agent.options.Node, id)
	if s == nil {
		if _, err := r.identify(); err != nil {
			return nil, err
		}
		return nil, notFound("Unknown service ID %q. Ensure that the service ID is passed, not the service name.", id)
	}
	return s, r.need(acl.Write, acl.Service, s.Service.Service)
}

func deregisterService(r *request) (any, error) {
	s, err := r.registered()
	if err != nil {
		return nil, err
	}
	return nil, r.agent.remove(func(tx *state.Tx) error {
		tx.DeleteLocalService(s.Node, s.ID)
		return nil
	})
}

func agentServiceRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/agent/services", agentServices),
		faithful(http.MethodGet, "/v1/agent/service/{service...}", agentService),
		faithful(http.MethodPut, "/v1/agent/service/register", registerService),
		faithful(http.MethodPut, "/v1/agent/service/deregister/{service...}", deregisterService),
		faithful(http.MethodPut, "/v1/agent/service/maintenance/{service...}", serviceMaintenance),
		faithful(http.MethodGet, "/v1/agent/health/service/id/{service...}", agentHealthOfInstance),
		faithful(http.MethodGet, "/v1/agent/health/service/name/{service...}", agentHealthOfService),
	}
}
