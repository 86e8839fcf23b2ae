package consul

import (
	"net"
	"net/http"

	"github.com/hashicorp/consul/api"
)

// maxWeight is the highest weight that DNS can tell.
const maxWeight = 65535

// check tells what is wrong with a definition that somebody registers.
func (a *agent) check(d ServiceDefinition) error {
	if d.Name == "" {
		return badRequest("Missing service name")
	}
	if ip := net.ParseIP(d.Address); ip != nil && ip.IsUnspecified() {
		return badRequest("Invalid service address")
	}
	if err := checkWeights(d.Weights); err != nil {
		return err
	}
	if err := checkMeta(d.Meta); err != nil {
		return badRequest("Invalid Service Meta: %v", err)
	}
	s := a.instance(d)
	if err := validateService(&s.Service); err != nil {
		return badRequest("Validation failed: %v", err)
	}
	if d.Locality != nil && d.Locality.Zone != "" && d.Locality.Region == "" {
		return badRequest("Validation failed: %v", problems{"zone cannot be set without region"})
	}
	return checkSidecar(d)
}

func checkWeights(w *api.AgentWeights) error {
	switch {
	case w == nil:
		return nil
	case w.Passing < 1:
		return badRequest("Invalid Weights: Passing must be greater than 0")
	case w.Warning < 0:
		return badRequest("Invalid Weights: Warning must be greater or equal than 0")
	case w.Passing > maxWeight || w.Warning > maxWeight:
		return badRequest("Invalid Weights: DNS Weight must be between 0 and %d", maxWeight)
	}
	return nil
}

func checkSidecar(d ServiceDefinition) error {
	if d.Connect == nil || d.Connect.SidecarService == nil {
		return nil
	}
	var wrong problems
	sidecar := d.Connect.SidecarService
	if sidecar.ID != "" {
		wrong.add("A SidecarService cannot specify an ID as this is managed by the agent")
	}
	if sidecar.Connect != nil && sidecar.Connect.SidecarService != nil {
		wrong.add("A SidecarService cannot have a nested SidecarService")
	}
	if len(wrong) > 0 {
		return badRequest("Validation failed: %v", wrong)
	}
	if len(d.Ports) > 0 {
		return fail(http.StatusBadRequest, "MultiPort cannot be used with Consul Connect.")
	}
	return nil
}

// checkService tells what is wrong with a definition and its checks.
func (a *agent) checkService(d ServiceDefinition, configured bool) error {
	if err := a.check(d); err != nil {
		return err
	}
	for _, c := range d.allChecks() {
		if c.Status != "" && !isStatus(c.Status) {
			return badRequest("Status for checks must 'passing', 'warning', 'critical'")
		}
		if err := a.checkCheck(c, configured); err != nil {
			return err
		}
	}
	if !hasSidecar(d) {
		return nil
	}
	for _, c := range d.Connect.SidecarService.allChecks() {
		if err := a.checkCheck(c, configured); err != nil {
			return err
		}
	}
	return nil
}
