package client

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"
)

// refusals gathers what a job asks for and this package does not have, so that one run tells all of it.
type refusals struct {
	where string
	errs  *[]error
}

// in narrows the place that later refusals name.
func (r refusals) in(kind, name string) refusals {
	if r.where != "" {
		r.where += ": "
	}
	r.where += fmt.Sprintf("%s %q", kind, name)
	return r
}

func (r refusals) add(format string, args ...any) {
	*r.errs = append(*r.errs, fmt.Errorf("%s: %w", r.where, fmt.Errorf(format, args...)))
}

// when refuses a block or attribute by name if it is present.
func (r refusals) when(present bool, what, instead string) {
	if present {
		r.add("%s is not supported here: %s", what, instead)
	}
}

// unsupported returns what this package cannot run of a canonical job, or nil.
func unsupported(job *api.Job) error {
	r := refusals{errs: new([]error)}.in("job", *job.ID)
	if t := *job.Type; t != api.JobTypeService && t != api.JobTypeBatch {
		r.add("type %q is not supported here: use %q or %q", t, api.JobTypeService, api.JobTypeBatch)
	}
	r.when(job.Periodic != nil, "periodic", "remove the block, or run the job by hand")
	r.when(job.ParameterizedJob != nil, "parameterized", "remove the block, or submit a plain batch job")
	r.when(job.Multiregion != nil, "multiregion", "remove the block")
	if *job.Namespace != api.DefaultNamespace {
		r.add("namespace %q does not exist here: use %q", *job.Namespace, api.DefaultNamespace)
	}
	if len(job.TaskGroups) == 0 {
		r.add("has no group: add one")
	}
	names := map[string]bool{}
	for _, g := range job.TaskGroups {
		in := r.in("group", *g.Name)
		in.when(names[*g.Name], "a second group of this name", "give it another name")
		names[*g.Name] = true
		in.group(g)
	}
	return errors.Join(*r.errs...)
}

func (r refusals) group(g *api.TaskGroup) {
	r.when(len(g.Volumes) > 0, "volume", "keep data in ${NOMAD_ALLOC_DIR} or in a service")
	r.when(g.Consul != nil, "consul", "remove the block")
	r.when(g.MaxRunDuration != nil, "max_run_duration", "remove it")
	r.when(len(g.Networks) > 1, "a second network block", "put all ports in one")
	labels := r.network(g)
	if len(g.Tasks) == 0 {
		r.add("has no task: add one")
	}
	names, leaders := map[string]bool{}, 0
	for _, t := range g.Tasks {
		in := r.in("task", t.Name)
		in.when(names[t.Name], "a second task of this name", "give it another name")
		names[t.Name] = true
		in.task(t, labels)
		if t.Leader {
			leaders++
		}
	}
	r.when(leaders > 1, "more than one leader task", "keep one")
	for _, s := range g.Services {
		r.in("service", s.Name).service(s, labels, g.Tasks)
	}
}

// network returns the port labels of a group.
func (r refusals) network(g *api.TaskGroup) map[string]bool {
	labels := map[string]bool{}
	for _, net := range g.Networks {
		if net.Mode != "" && net.Mode != "host" {
			r.add("network mode %q is not supported here: use \"host\", or leave it out", net.Mode)
		}
		r.when(net.CNI != nil || net.DNS != nil || net.Hostname != "", "cni, dns or hostname in network", "remove it")
		for _, p := range slices.Concat(net.ReservedPorts, net.DynamicPorts) {
			in := r.in("port", p.Label)
			in.when(labels[p.Label], "a second port of this label", "give it another label")
			labels[p.Label] = true
			in.when(p.To != 0, "to", "remove it: a raw_exec task listens on ${NOMAD_PORT_"+p.Label+"} itself")
			in.when(p.HostNetwork != "" && p.HostNetwork != "default", "host_network", "remove it: all ports are on 127.0.0.1")
			in.when(p.Value != 0 && *g.Count > 1, fmt.Sprintf("static = %d with count = %d", p.Value, *g.Count),
				"one machine has the port once: leave static out")
		}
	}
	return labels
}

func (r refusals) task(t *api.Task, labels map[string]bool) {
	if t.Name == "" || t.Name == "alloc" || strings.Contains(t.Name, "/") || strings.HasPrefix(t.Name, ".") {
		r.add("is no name for a folder: use letters, digits and dashes")
	}
	if t.Driver != "raw_exec" {
		r.add("driver %q is not supported here: use \"raw_exec\"", t.Driver)
	} else if _, err := decodeConfig(t.Config); err != nil {
		r.add("config: %w", err)
	}
	if _, err := signalNamed(t.KillSignal); err != nil {
		r.add("kill_signal: %w", err)
	}
	r.when(t.Lifecycle != nil, "lifecycle", "make it a task or a job of its own")
	r.when(len(t.Artifacts) > 0, "artifact", "put the program into the PATH")
	r.when(t.User != "", "user", "remove it: tasks run as who started the emulator")
	r.when(t.Vault != nil || len(t.Secrets) > 0, "vault or secret", "read a Nomad variable in a template: nomadVar")
	r.when(t.Consul != nil, "consul", "remove the block")
	r.when(t.Identity != nil || len(t.Identities) > 0, "identity", "remove the block")
	r.when(len(t.VolumeMounts) > 0 || t.CSIPluginConfig != nil, "volume_mount or csi_plugin", "remove the block")
	r.when(t.DispatchPayload != nil, "dispatch_payload", "remove the block")
	r.when(t.Schedule != nil, "schedule", "remove the block")
	r.when(t.Kind != "", "kind", "remove it")
	r.when(len(t.Resources.Devices) > 0 || len(t.Resources.Networks) > 0, "device or network in resources", "use the group's network")
	if mode := *t.RestartPolicy.Mode; mode != api.RestartPolicyModeFail && mode != api.RestartPolicyModeDelay {
		r.add("restart mode %q does not exist: use \"fail\" or \"delay\"", mode)
	}
	for _, tmpl := range t.Templates {
		r.in("template", *tmpl.DestPath).template(tmpl)
	}
	for _, s := range t.Services {
		r.in("service", s.Name).service(s, labels, []*api.Task{t})
	}
}

func (r refusals) template(tmpl *api.Template) {
	if *tmpl.DestPath == "" {
		r.add("has no destination: add one, like \"local/config\" or \"secrets/env\"")
	}
	if (*tmpl.EmbeddedTmpl == "") == (*tmpl.SourcePath == "") {
		r.add("needs either data or source, and not both")
	}
	if _, err := parsePerms(*tmpl.Perms); err != nil {
		r.add("perms: %w", err)
	}
	switch mode := *tmpl.ChangeMode; mode {
	case "noop", "restart":
	case "signal":
		if _, err := signalNamed(*tmpl.ChangeSignal); err != nil {
			r.add("change_signal: %w", err)
		}
	default:
		r.add("change_mode %q is not supported here: use \"restart\", \"signal\" or \"noop\"", mode)
	}
	r.when(tmpl.Uid != nil || tmpl.Gid != nil, "uid or gid", "remove it")
}

func (r refusals) service(s *api.Service, labels map[string]bool, tasks []*api.Task) {
	if s.Provider != "nomad" && s.Provider != api.ServiceProviderConsul {
		r.add("provider %q does not exist: use \"nomad\" or \"consul\"", s.Provider)
	}
	r.when(s.Connect != nil || s.Kind != "", "connect", "remove the block: services speak to each other directly")
	r.when(s.AddressMode != "auto" && s.AddressMode != "host", "address_mode "+s.AddressMode, "use \"host\"")
	r.when(s.Address != "" || len(s.TaggedAddresses) > 0, "address or tagged_addresses", "remove it: all services are on 127.0.0.1")
	r.port(s.PortLabel, labels)
	r.taskName(s.TaskName, tasks)
	for i := range s.Checks {
		c := &s.Checks[i]
		in := r.in("check", checkName(s, c))
		in.check(c, s, labels)
		in.taskName(c.TaskName, tasks)
		in.when(c.CheckRestart != nil && len(tasks) > 1 && c.TaskName == "" && s.TaskName == "", "check_restart without a task",
			"say which task to restart: task = \"…\"")
	}
}

func (r refusals) check(c *api.ServiceCheck, s *api.Service, labels map[string]bool) {
	if c.Type != "http" && c.Type != "tcp" {
		r.add("type %q is not supported here: use \"http\" or \"tcp\"", c.Type)
	}
	if c.Type == "http" && c.Path == "" {
		r.add("has no path: add one, like \"/health\"")
	}
	if c.PortLabel == "" && s.PortLabel == "" {
		r.add("has no port: add it to the service or to the check")
	}
	if c.Protocol != "" && c.Protocol != "http" {
		r.add("protocol %q is not supported here: use \"http\"", c.Protocol)
	}
	r.when(c.Expose, "expose", "remove it")
	r.port(c.PortLabel, labels)
	if c.Interval < time.Second || c.Timeout < time.Second {
		r.add("has interval %s and timeout %s: Nomad takes one second or more for each", c.Interval, c.Timeout)
	}
}

func (r refusals) port(label string, labels map[string]bool) {
	if label != "" && !labels[label] && !strings.Contains(label, "${") {
		r.add("port %q is no label of the group's network, which has %q: add it there", label, slices.Sorted(maps.Keys(labels)))
	}
}

func (r refusals) taskName(name string, tasks []*api.Task) {
	if name != "" && !slices.ContainsFunc(tasks, func(t *api.Task) bool { return t.Name == name }) {
		r.add("names task %q, which is not there: correct the name", name)
	}
}
