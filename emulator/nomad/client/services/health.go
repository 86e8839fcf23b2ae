package services

import (
	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
)

const (
	onUpdateIgnore         = api.OnUpdateIgnore
	onUpdateIgnoreWarnings = api.OnUpdateIgnoreWarn
)

// What the checks with the provider nomad are for, and how they are.
const (
	modeHealthiness = "healthiness"
	modeReadiness   = "readiness" // it does not count for deployments

	statusSuccess = "success"
	statusFailure = "failure"
	statusPending = "pending"
)

// Healthy implements hook.Services.
func (a *allocation) Healthy() (healthy bool, changed <-chan struct{}) {
	expected := a.expected() // asked for without the lock: tasks have their own
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.registered {
		delete(expected, r.owner)
		for _, w := range r.checks {
			if !w.goodLocked() {
				return false, a.changed
			}
		}
	}
	return len(expected) == 0, a.changed
}

// expected are the owners of which something must be registered.
func (a *allocation) expected() map[string]bool {
	owners := map[string]bool{}
	if group := a.of.Allocation().GetTaskGroup(); group != nil && len(group.Services) > 0 {
		owners[scope{}.owner()] = true
	}
	for _, t := range a.of.Tasks() {
		if len(t.Spec().Services) > 0 && t.Running() {
			owners[t.Spec().Name] = true
		}
	}
	return owners
}

// Checks implements hook.Services.
func (a *allocation) Checks() api.AllocCheckStatuses {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all api.AllocCheckStatuses
	for _, r := range a.registered {
		for _, w := range r.checks {
			if w.provider != providerNomad {
				continue
			}
			if all == nil {
				all = api.AllocCheckStatuses{}
			}
			all[w.id] = w.apiStatusLocked(a.of.Allocation().Name)
		}
	}
	return all
}

func (w *watched) apiStatusLocked(allocation string) api.AllocCheckStatus {
	s := api.AllocCheckStatus{
		ID: w.id, Check: w.name, Group: allocation, Mode: modeHealthiness, Output: w.output, Service: w.service,
		Task: w.owner, StatusCode: w.code, Timestamp: w.at.Unix(),
	}
	if w.spec.OnUpdate == onUpdateIgnore {
		s.Mode = modeReadiness
	}
	switch w.status {
	case "":
		s.Status = statusPending
	case consul.HealthPassing:
		s.Status = statusSuccess
	default:
		s.Status = statusFailure
	}
	return s
}
