package jobs

import (
	"fmt"
	"strings"

	"github.com/hashicorp/nomad/api"
)

const (
	providerNomad  = "nomad"
	identityPrefix = "consul-service_"
)

// naming is what the variables in the name of a service stand for. Of a group's
// service the task is the group.
type naming struct {
	job, group, task string
	owner            string // the task and a dash, or nothing
}

func (n naming) expand(name string) string {
	return strings.NewReplacer(
		"${JOB}", n.job, "${TASKGROUP}", n.group, "${TASK}", n.task,
		"${BASE}", n.job+"-"+n.group+"-"+n.task,
	).Replace(name)
}

func canonicalizeService(service *api.Service, names naming) {
	service.Name = names.expand(service.Name)
	service.CheckRestart = nil // the checks have it
	for i := range service.Checks {
		if check := &service.Checks[i]; check.Name == "" {
			check.Name = fmt.Sprintf("service: %q check", service.Name)
		}
	}
	if service.Identity != nil && service.Provider == api.ServiceProviderConsul {
		service.Identity.Name = identityPrefix + names.owner + service.Name + "-" + service.PortLabel
		service.Identity.ServiceName = service.Name
	}
}
