package cluster

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	consul "github.com/hashicorp/consul/api"
)

// State is what a zone does.
type State string

// The states: a zone is failing when only some of its agents run.
const (
	Running State = "running"
	Stopped State = "stopped"
	Failing State = "failing"
)

// Status is what there is of a cluster.
type Status struct {
	Link     string              `json:"link"` // the machine's, to the zones
	Zones    []ZoneStatus        `json:"zones"`
	Services map[string][]string `json:"services"` // addresses of the healthy instances, host:port
}

// ZoneStatus is a zone and what it does.
type ZoneStatus struct {
	Zone
	Namespace string `json:"namespace"` // the network namespace
	State     State  `json:"state"`
}

// Status looks at the cluster's zones, and asks the first that runs for the services.
func (s *Stack) Status(ctx context.Context) (Status, error) {
	status := Status{Link: s.site.link(), Services: map[string][]string{}}
	asked := false
	for _, z := range s.Zones {
		state, err := s.state(z)
		if err != nil {
			return status, err
		}
		status.Zones = append(status.Zones, ZoneStatus{Zone: z, Namespace: s.site.namespace(z.Name), State: state})
		if state == Running && !asked {
			asked = true
			if status.Services, err = z.services(ctx); err != nil {
				return status, err
			}
		}
	}
	return status, nil
}

func (s *Stack) state(z Zone) (State, error) {
	runs, err := inhabited(s.site.namespace(z.Name))
	if err != nil || !runs {
		return Stopped, err
	}
	for _, name := range agentNames {
		if s.agent(z, name).PID() == 0 {
			return Failing, nil
		}
	}
	return Running, nil
}

// services are the addresses of the services in Consul, those of its own and of
// Nomad's agents excepted.
func (z Zone) services(ctx context.Context) (map[string][]string, error) {
	client, err := consul.NewClient(&consul.Config{Address: z.Consul, HttpClient: &http.Client{Timeout: askWait}})
	if err != nil {
		return nil, fmt.Errorf("ask Consul at %s: %w", z.Consul, err)
	}
	options := (&consul.QueryOptions{AllowStale: true}).WithContext(ctx)
	names, _, err := client.Catalog().Services(options)
	if err != nil {
		return nil, fmt.Errorf("ask Consul at %s for the services: %w", z.Consul, err)
	}
	services := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name == "consul" || name == "nomad" || name == "nomad-client" {
			continue
		}
		instances, _, err := client.Health().Service(name, "", true, options)
		if err != nil {
			return nil, fmt.Errorf("ask Consul at %s for service %s: %w", z.Consul, name, err)
		}
		services[name] = []string{}
		for _, i := range instances {
			services[name] = append(services[name], fmt.Sprintf("%s:%d", i.Service.Address, i.Service.Port))
		}
	}
	return services, nil
}
