package consul

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/checks"
	"github.com/drydock/drydock/emulator/consul/state"
)

// runs is how the agent makes the check of a definition.
func (d CheckDefinition) runs() checks.Definition {
	return checks.Definition{
		HTTP: d.HTTP, Method: d.Method, Header: d.Header, Body: d.Body, DisableRedirects: d.DisableRedirects,
		TCP: d.TCP, TCPUseTLS: d.TCPUseTLS, UDP: d.UDP, GRPC: d.GRPC, GRPCUseTLS: d.GRPCUseTLS,
		H2PING: d.H2PING, H2PingUseTLS: d.H2PingUseTLS == nil || *d.H2PingUseTLS,
		TLSServerName: d.TLSServerName, TLSSkipVerify: d.TLSSkipVerify,
		ScriptArgs: slices.Concat(d.Args, d.ScriptArgs), DockerContainerID: d.DockerContainerID, Shell: d.Shell,
		OSService: d.OSService, TTL: time.Duration(d.TTL), AliasNode: d.AliasNode, AliasService: d.AliasService,
		Interval: time.Duration(d.Interval), Timeout: time.Duration(d.Timeout), Status: d.Status,
		SuccessBeforePassing: d.SuccessBeforePassing, FailuresBeforeWarning: d.FailuresBeforeWarning,
		FailuresBeforeCritical: d.FailuresBeforeCritical, OutputMaxSize: d.OutputMaxSize,
	}
}

// checkCheck tells what is wrong with a check that somebody registers.
func (a *agent) checkCheck(d CheckDefinition, configured bool) error {
	runs := d.runs()
	if err := runs.Validate(); err != nil {
		if errors.Is(err, checks.ErrStatus) {
			return badRequest("%v", err)
		}
		return badRequest("Invalid check: %v", err)
	}
	if runs.Type() == checks.TypeOSService {
		return fail(http.StatusInternalServerError, "not implemented")
	}
	if len(runs.ScriptArgs) == 0 || a.options.ScriptChecks || configured && a.options.LocalScriptChecks {
		return nil
	}
	if configured {
		return fail(http.StatusInternalServerError,
			"Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true")
	}
	return fail(http.StatusInternalServerError,
		"Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true")
}

// minDeregister is the shortest time after which a service that is critical is removed.
const minDeregister = time.Minute

// localCheck is what the agent keeps of a definition of a check with the given ID.
func (a *agent) localCheck(d CheckDefinition, id string, configured bool) state.LocalCheck {
	runs := d.runs()
	c := state.LocalCheck{
		Check: state.Check{
			Node: a.options.Node, CheckID: id, Name: d.Name, Notes: d.Notes, Status: runs.InitialStatus(),
			ServiceID: d.ServiceID, Type: runs.Type(),
		},
		Runs:            &runs,
		DeregisterAfter: d.DeregisterCriticalServiceAfter,
		Configured:      configured,
	}
	if c.DeregisterAfter > 0 {
		c.DeregisterAfter = max(c.DeregisterAfter, state.Duration(minDeregister))
	}
	return c
}

// checkOf is what the agent keeps of a check that is registered by itself.
func (a *agent) checkOf(d CheckDefinition, configured bool) state.LocalCheck {
	id := d.ID
	if id == "" {
		id = d.Name
	}
	c := a.localCheck(d, id, configured)
	c.Interval, c.Timeout = time.Duration(d.Interval).String(), time.Duration(d.Timeout).String()
	return c
}

// checksOf is what the agent keeps of the checks that are registered with an instance.
func (a *agent) checksOf(list []CheckDefinition, s *state.LocalService) []state.LocalCheck {
	kept := make([]state.LocalCheck, len(list))
	for i, d := range list {
		id := d.CheckID
		if id == "" {
			id = d.ID
		}
		if id == "" {
			id = "service:" + s.ID
			if len(list) > 1 {
				id = fmt.Sprintf("%s:%d", id, i+1)
			}
		}
		if d.Name == "" {
			d.Name = fmt.Sprintf("Service '%s' check", s.Service.Service)
		}
		d.ServiceID = s.ID
		kept[i] = a.localCheck(d, id, s.Configured)
		if d.Interval > 0 {
			kept[i].Interval = time.Duration(d.Interval).String()
		}
		if d.Timeout > 0 {
			kept[i].Timeout = time.Duration(d.Timeout).String()
		}
	}
	return kept
}

// allChecks are those of a definition, which may have one and several. The one
// that is empty is none.
func (d ServiceDefinition) allChecks() []CheckDefinition {
	var list []CheckDefinition
	if d.Check != nil && !reflect.ValueOf(*d.Check).IsZero() {
		list = append(list, *d.Check)
	}
	for _, c := range d.Checks {
		if c != nil {
			list = append(list, *c)
		}
	}
	return list
}

// isStatus tells whether a check may have the status.
func isStatus(status string) bool {
	return slices.Contains([]string{api.HealthPassing, api.HealthWarning, api.HealthCritical}, status)
}
