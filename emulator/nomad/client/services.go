package client

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hashicorp/nomad/api"
)

// Service is an instance of a service that an allocation offers.
type Service struct {
	ID           string
	Name         string
	Provider     string // "nomad" or "consul"
	Tags         []string
	Meta         map[string]string
	Address      string
	Port         int // 0 for a service without a port
	JobID        string
	AllocationID string
	Healthy      bool
	Checks       []Check
}

// Check is what is known of a check of a service.
type Check struct {
	Name    string
	Passing bool
	Output  string // of the last probe
}

// service is a service block of a running group.
type service struct {
	entry  Service // without Healthy and Checks
	tasks  []*task // those that must run for it
	checks []*check
}

// newServices makes the services of the group and of its tasks.
func (a *allocation) newServices() ([]*service, error) {
	var all []*service
	env := a.newEnvironment()
	for _, spec := range a.group.Services {
		s, err := a.newService(spec, env, a.tasks)
		if err != nil {
			return nil, fmt.Errorf("service %q: %w", spec.Name, err)
		}
		all = append(all, s)
	}
	for _, t := range a.tasks {
		for _, spec := range t.spec.Services {
			s, err := a.newService(spec, t.env, []*task{t})
			if err != nil {
				return nil, fmt.Errorf("task %q: service %q: %w", t.spec.Name, spec.Name, err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

func (a *allocation) newService(spec *api.Service, env environment, tasks []*task) (*service, error) {
	resolve := resolver{env: env}
	s := &service{tasks: tasks, entry: Service{
		Name: resolve.text(spec.Name), Provider: spec.Provider, Meta: map[string]string{},
		Address: loopback, JobID: *a.job.ID, AllocationID: a.id,
	}}
	for _, tag := range spec.Tags {
		s.entry.Tags = append(s.entry.Tags, resolve.text(tag))
	}
	for key, value := range spec.Meta {
		s.entry.Meta[key] = resolve.text(value)
	}
	s.entry.Port = a.resolvePort(&resolve, spec.PortLabel)
	s.entry.ID = fmt.Sprintf(servicePrefix+"%s-%s-%s", a.id, s.entry.Name, spec.PortLabel)
	for i := range spec.Checks {
		c, err := a.newCheck(s, spec, &spec.Checks[i], &resolve)
		if err != nil {
			return nil, err
		}
		s.checks = append(s.checks, c)
	}
	return s, resolve.err
}

// resolver interpolates many texts and keeps the first error.
type resolver struct {
	env environment
	err error
}

func (r *resolver) text(text string) string {
	value, err := r.env.interpolate(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return value
}

// resolvePort finds the number of a port by its label; no label is no port.
func (a *allocation) resolvePort(r *resolver, label string) int {
	label = r.text(label)
	for _, p := range a.ports {
		if p.label == label || label == strconv.Itoa(p.number) {
			return p.number
		}
	}
	if label != "" && r.err == nil {
		r.err = fmt.Errorf("port %q is no label of the group's network: add it there", label)
	}
	return 0
}

// healthyLocked reports whether all tasks of the service run and all its checks pass.
func (s *service) healthyLocked() bool {
	if !s.runningLocked() {
		return false
	}
	for _, c := range s.checks {
		if !c.passing {
			return false
		}
	}
	return true
}

func (s *service) runningLocked() bool {
	return !slices.ContainsFunc(s.tasks, func(t *task) bool { return t.state != taskRunning })
}

func (s *service) snapshotLocked() Service {
	entry := s.entry
	entry.Tags, entry.Meta = slices.Clone(entry.Tags), maps.Clone(entry.Meta)
	entry.Healthy = s.healthyLocked()
	for _, c := range s.checks {
		entry.Checks = append(entry.Checks, Check{Name: c.name, Passing: c.passing, Output: c.output})
	}
	return entry
}

// Services returns the services of all allocations, healthy or not, oldest first. One that is told to stop has none any more:
// its services go before its shutdown_delay, so that nobody is sent to it while it ends.
func (n *Nomad) Services() []Service {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []Service
	for _, a := range n.placed {
		if a.stopped != "" || a.ended {
			continue
		}
		for _, s := range a.services {
			all = append(all, s.snapshotLocked())
		}
	}
	return all
}

func (n *Nomad) healthyServices(provider string) []Service {
	return slices.DeleteFunc(n.Services(), func(s Service) bool { return !s.Healthy || s.Provider != provider })
}
