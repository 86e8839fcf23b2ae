package nomad

import (
	"cmp"
	"errors"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func serviceRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/services", (*request).services),
		faithful(http.MethodGet, "/v1/service/{name}", (*request).service),
		faithful(http.MethodDelete, "/v1/service/{name}/{id}", (*request).deleteService),
	}
}

// seesServices is what tells whether the caller sees the services of a
// namespace; who may not see those of the one it asks for is refused. Workloads
// see those of any, one at a time.
func (r *request) seesServices() (func(namespace string) bool, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	asked := r.namespace()
	sees := func(namespace string) bool {
		return c.may.Namespace(namespace, acl.ReadJob) || c.workload != nil && asked != allNamespaces
	}
	if asked != allNamespaces && !sees(asked) {
		return nil, errDenied
	}
	return sees, nil
}

// services lists the services by namespace.
func (r *request) services() (any, error) {
	sees, err := r.seesServices()
	if err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		rows := view.ServicesOfNamespace(r.namespace())
		if r.namespace() == allNamespaces {
			rows = view.Services()
		}
		list := []*api.ServiceRegistrationListStub{}
		for s := range rows {
			if !sees(s.Namespace) {
				continue
			}
			if len(list) == 0 || list[len(list)-1].Namespace != s.Namespace {
				list = append(list, &api.ServiceRegistrationListStub{Namespace: s.Namespace})
			}
			addService(list[len(list)-1], s)
		}
		return list, tableIndex(view, state.TableServices), nil
	})
}

// addService adds an instance to the services of a namespace, of which it is
// one of the last or of a new one.
func addService(to *api.ServiceRegistrationListStub, s *api.ServiceRegistration) {
	if n := len(to.Services); n == 0 || to.Services[n-1].ServiceName != s.ServiceName {
		to.Services = append(to.Services, &api.ServiceRegistrationStub{ServiceName: s.ServiceName, Tags: []string{}})
	}
	service := to.Services[len(to.Services)-1]
	for _, tag := range s.Tags {
		if !slices.Contains(service.Tags, tag) {
			service.Tags = append(service.Tags, tag)
		}
	}
}

// service lists the instances of a service, or those that are chosen of them.
func (r *request) service() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("missing service name")
	}
	sees, err := r.seesServices()
	if err != nil {
		return nil, err
	}
	at := func(s *api.ServiceRegistration) position { return position{name: s.ID} }
	return r.block(func(view *state.View) (any, uint64, error) {
		list, err := page(r, view.ServicesNamed(r.namespace(), name), at, func(s *api.ServiceRegistration) (*api.ServiceRegistration, bool) {
			return s, sees(s.Namespace)
		})
		if err == nil {
			list, err = r.choose(list)
		}
		return list, tableIndex(view, state.TableServices), err
	})
}

// choose picks as many instances as the parameter choose says, the same ones for
// the same key as long as they are there.
func (r *request) choose(from []*api.ServiceRegistration) ([]*api.ServiceRegistration, error) {
	asked := r.query.Get("choose")
	if asked == "" {
		return from, nil
	}
	text, key, ok := strings.Cut(asked, "|")
	count, err := strconv.Atoi(text)
	if !ok || err != nil || count < 0 {
		return nil, badRequest("failed to choose services: Parameter for choose must be in form '<number>|<key>'")
	}
	weight := func(s *api.ServiceRegistration) uint64 {
		h := fnv.New64a()
		h.Write([]byte(key + "|" + s.ID))
		return h.Sum64()
	}
	slices.SortFunc(from, func(a, b *api.ServiceRegistration) int { return cmp.Compare(weight(a), weight(b)) })
	return from[:min(count, len(from))], nil
}

func (r *request) deleteService() (any, error) {
	if err := r.needIn(r.namespace(), acl.SubmitJob); err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error {
		s := tx.Service(r.PathValue("id"))
		if s == nil || s.Namespace != r.namespace() {
			return errors.New("service registration not found")
		}
		tx.DeleteServices(s.ID)
		return nil
	})
}
