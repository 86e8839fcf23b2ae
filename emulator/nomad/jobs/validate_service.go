package jobs

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/nomad/api"
)

// Modes in which a service is advertised.
const (
	addressAuto   = "auto"
	addressHost   = "host"
	addressDriver = "driver"
	addressAlloc  = "alloc"
)

var (
	serviceName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$`) })
	variable    = regexp.MustCompile(`\$\{[^}]*\}`)
)

// checkGroupServices checks the services of a group, and those of its tasks among
// each other.
func checkGroupServices(p *problems, group *api.TaskGroup) {
	var wrong problems
	for i, service := range group.Services {
		p := problems{}
		checkService(&p, service)
		wrong.in(p, "Service[%d] %s validation failed: ", i, service.Name)
		wrong.when(service.AddressMode == addressDriver,
			"service %q cannot use address_mode=\"driver\", only services defined in a \"task\" block can use this mode", service.Name)
		checkCheckTasks(&wrong, group, service)
	}
	for _, task := range group.Tasks {
		for _, service := range task.Services {
			if service.TaskName != task.Name {
				wrong.add("Service %s is invalid: may only specify task the service belongs to, got %q", service.Name, service.TaskName)
			}
		}
	}
	checkRepeatedServices(&wrong, group)
	p.in(wrong, "Task group service validation failed: ")
	checkScriptTasks(p, group)
}

// checkCheckTasks checks that the tasks exist in which checks run.
func checkCheckTasks(p *problems, group *api.TaskGroup, service *api.Service) {
	for i := range service.Checks {
		check := &service.Checks[i]
		name := service.TaskName
		if check.TaskName != "" {
			name = check.TaskName
		}
		if check.Type != checkScript && check.Type != checkGRPC || name == "" || !inConsul(service) {
			continue
		}
		if !slices.ContainsFunc(group.Tasks, func(t *api.Task) bool { return t.Name == name }) {
			p.add("Check %s invalid: refers to non-existent task %s", check.Name, name)
		}
	}
}

// checkRepeatedServices finds those of one name and port, and those of another
// provider.
func checkRepeatedServices(p *problems, group *api.TaskGroup) {
	count, providers := map[string]int{}, map[string]bool{}
	var repeated []string
	add := func(owner string, services []*api.Service) {
		for _, service := range services {
			id := owner + "->" + service.Name
			if service.PortLabel != "" {
				id += ":" + service.PortLabel
			}
			if count[id]++; count[id] == 2 {
				repeated = append(repeated, id)
			}
			providers[service.Provider] = true
		}
	}
	add("group", group.Services)
	for _, task := range group.Tasks {
		add(task.Name, task.Services)
	}
	slices.Sort(repeated)
	p.when(len(repeated) > 0, "Services are not unique: [%s]", strings.Join(repeated, " "))
	p.when(len(providers) > 1, "Multiple service providers used: task group services must use the same provider")
}

// checkScriptTasks checks that scripts of a group's services name the task in
// which they run.
func checkScriptTasks(p *problems, group *api.TaskGroup) {
	var wrong problems
	for _, service := range group.Services {
		for i := range service.Checks {
			check := &service.Checks[i]
			if check.Type == checkScript && check.TaskName == "" && service.TaskName == "" {
				wrong.add("Service [group]->%s or Check %s must specify task parameter", service.Name, check.Name)
			}
		}
	}
	p.in(wrong, "Task group service check validation failed: ")
}

func checkService(p *problems, s *api.Service) {
	checkServiceName(p, s.Name)
	switch s.AddressMode {
	case "", addressAuto:
	case addressHost, addressDriver, addressAlloc:
		p.when(s.Address != "", "Service address_mode must be \"auto\" if address is set")
	default:
		p.add("Service address_mode must be %q, %q, or %q; not %q", addressAuto, addressHost, addressDriver, s.AddressMode)
	}
	switch s.OnUpdate {
	case "", api.OnUpdateRequireHealthy, api.OnUpdateIgnoreWarn, api.OnUpdateIgnore:
	default:
		p.add("Service on_update must be %q, %q, or %q; not %q", api.OnUpdateRequireHealthy, api.OnUpdateIgnoreWarn, api.OnUpdateIgnore, s.OnUpdate)
	}
	for i := range s.Checks {
		checkCheck(p, s, &s.Checks[i])
	}
	switch s.Provider {
	case providerNomad:
		p.when(s.Connect != nil, "Service with provider nomad cannot include Connect blocks")
	case api.ServiceProviderConsul:
		checkConsulService(p, s)
	default:
		p.add("Service provider must be %q, or %q; not %q", api.ServiceProviderConsul, providerNomad, s.Provider)
	}
	p.when(s.Identity != nil && len(s.Identity.Audience) == 0, "Service identity must provide at least one target aud value")
}

// checkServiceName checks a name as far as it is known: what variables stand for
// is not.
func checkServiceName(p *problems, name string) {
	if !serviceName().MatchString(variable.ReplaceAllString(name, "x")) {
		p.add("Service name must be valid per RFC 1123 and can contain only alphanumeric characters or dashes and must be no longer than 63 characters: %q", name)
	}
}

func checkConsulService(p *problems, s *api.Service) {
	switch s.Kind {
	case "", "api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway":
	default:
		p.add("Service %s kind must be one of consul service kind or empty", s.Name)
	}
	c := s.Connect
	if c == nil {
		return
	}
	ways := 0
	for _, used := range []bool{c.Native, c.SidecarService != nil, c.Gateway != nil} {
		if used {
			ways++
		}
	}
	p.when(ways != 1, "Consul Connect must be exclusively native, make use of a sidecar, or represent a Gateway")
	p.when(c.Native && s.PortLabel == "", "Service %s is Connect Native and requires setting the port", s.Name)
	p.when(c.Native && s.TaskName == "", "Service %s is Connect Native and requires setting the task", s.Name)
}
