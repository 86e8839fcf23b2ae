package consul

import (
	"net/http"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// healthOf is what the agent tells of the health of an instance.
type healthOf struct {
	AggregatedStatus string
	Service          *api.AgentService
	Checks           api.HealthChecks
}

// agentHealthOfInstance answers for one instance, by its ID.
func agentHealthOfInstance(r *request) (any, error) {
	id := r.PathValue("service")
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	if id == "" {
		return nil, errText("Missing serviceID")
	}
	view := r.agent.dc.store.View()
	s := view.LocalService(r.agent.options.Node, id)
	if s == nil {
		if _, err := r.identify(); err != nil {
			return nil, err
		}
		return r.health(http.StatusNotFound, api.HealthCritical, healthOf{AggregatedStatus: api.HealthCritical})
	}
	if err := r.need(acl.Read, acl.Service, s.Service.Service); err != nil {
		return nil, err
	}
	health := r.agent.healthOf(view, s)
	return r.health(healthStatus(health.AggregatedStatus), health.AggregatedStatus, health)
}

// agentHealthOfService answers for all instances of a service: the worst counts.
func agentHealthOfService(r *request) (any, error) {
	name := r.PathValue("service")
	if err := r.communityOnly(); err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errText("Missing service Name")
	}
	if err := r.need(acl.Read, acl.Service, name); err != nil {
		return nil, err
	}
	view := r.agent.dc.store.View()
	list := []healthOf{}
	status := http.StatusNotFound
	worst := api.HealthPassing
	for s := range store.All[state.LocalService](view, state.TableLocalServices, "node", r.agent.options.Node) {
		if s.Service.Service != name {
			continue
		}
		health := r.agent.healthOf(view, s)
		list = append(list, health)
		worst = worse(worst, health.AggregatedStatus)
		status = healthStatus(worst)
	}
	if len(list) == 0 {
		worst = api.HealthCritical
	}
	return r.health(status, worst, list)
}

// health answers in the format that the request asks for, with the status that
// load balancers look at.
func (r *request) health(status int, word string, answer any) (any, error) {
	if r.query.Get("format") != "text" {
		return withStatus{status, answer}, nil
	}
	return streamed(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		w.Write([]byte(word))
	}), nil
}

func healthStatus(health string) int {
	switch health {
	case api.HealthPassing:
		return http.StatusOK
	case api.HealthWarning:
		return http.StatusTooManyRequests
	default:
		return http.StatusServiceUnavailable
	}
}

// worse is the worse of two aggregated statuses.
func worse(a, b string) string {
	order := []string{api.HealthPassing, api.HealthWarning, api.HealthCritical, api.HealthMaint}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// healthOf brings together the checks of an instance and of its node.
func (a *agent) healthOf(view *state.View, s *state.LocalService) healthOf {
	health := healthOf{Service: a.serviceAnswer(s), Checks: api.HealthChecks{}}
	for c := range store.All[state.LocalCheck](view, state.TableLocalChecks, "node", s.Node) {
		if c.ServiceID == "" || c.ServiceID == s.ID {
			answer := checkAnswer(view, c)
			health.Checks = append(health.Checks, &api.HealthCheck{
				Node: c.Node, CheckID: c.CheckID, Name: c.Name, Status: c.Status, Notes: c.Notes, Output: c.Output,
				ServiceID: c.ServiceID, ServiceName: answer.ServiceName,
			})
		}
	}
	health.AggregatedStatus = health.Checks.AggregatedStatus()
	return health
}
