package client

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/consul-template/dependency"
	"github.com/hashicorp/consul-template/template"
	"github.com/hashicorp/nomad/api"
)

// facts answers what a template asks for: Nomad variables, the healthy services of this Nomad, and files of the task.
type facts struct {
	n        *Nomad
	taskDir  string
	brain    *template.Brain
	services bool // it was asked for services
}

func (n *Nomad) newFacts(taskDir string) *facts {
	return &facts{n: n, taskDir: taskDir, brain: template.NewBrain()}
}

// lookUp puts the answer to one question into the brain, or says why there is none.
func (f *facts) lookUp(d dependency.Dependency) error {
	// consul-template keeps what was asked to itself, but for its text: kind(what).
	kind, what, _ := strings.Cut(strings.TrimSuffix(d.String(), ")"), "(")
	switch d.(type) {
	case *dependency.NVGetQuery:
		return f.lookUpVariable(d, kind, what)
	case *dependency.NVListQuery:
		return f.lookUpVariables(d, what)
	case *dependency.NomadServicesQuery:
		f.services = true
		f.brain.Remember(d, f.nomadServices())
		return nil
	case *dependency.NomadServiceQuery:
		f.services = true
		return f.lookUpNomadService(d, what)
	case *dependency.HealthServiceQuery:
		f.services = true
		return f.lookUpConsulService(d, kind, what)
	case *dependency.FileQuery:
		return f.lookUpFile(d, what)
	}
	return fmt.Errorf("%s is not available here: use nomadVar, nomadService or service", d)
}

func (f *facts) lookUpVariable(d dependency.Dependency, kind, what string) error {
	path, err := inDefaultNamespace(what)
	if err != nil {
		return err
	}
	items, found := f.n.options.Variables[path]
	switch {
	case found:
		variable := dependency.NewNomadVariable(&api.Variable{Namespace: api.DefaultNamespace, Path: path, Items: items})
		f.brain.Remember(d, &variable.Items)
	case kind == "nomad.var.get": // nomadVarExists, which takes no for an answer
		f.brain.Remember(d, nil)
	default:
		return fmt.Errorf("nomadVar: there is no Nomad variable %q: there are %q", path, slices.Sorted(maps.Keys(f.n.options.Variables)))
	}
	return nil
}

func (f *facts) lookUpVariables(d dependency.Dependency, what string) error {
	prefix, err := inDefaultNamespace(what)
	if err != nil {
		return err
	}
	if _, known := f.brain.Recall(d); known { // the safe variant asks again for as long as the list is empty
		return fmt.Errorf("nomadVarListSafe: there is no Nomad variable below %q", prefix)
	}
	list := []*dependency.NomadVarMeta{}
	for _, path := range slices.Sorted(maps.Keys(f.n.options.Variables)) {
		if strings.HasPrefix(path, prefix) {
			list = append(list, dependency.NewNomadVarMeta(&api.VariableMetadata{Namespace: api.DefaultNamespace, Path: path}))
		}
	}
	f.brain.Remember(d, list)
	return nil
}

// inDefaultNamespace takes path@namespace.region apart.
func inDefaultNamespace(what string) (string, error) {
	path, place, _ := strings.Cut(what, "@")
	if namespace, _, _ := strings.Cut(place, "."); namespace != api.DefaultNamespace {
		return "", fmt.Errorf("namespace %q does not exist here: use %q", namespace, api.DefaultNamespace)
	}
	return path, nil
}

func (f *facts) nomadServices() []*dependency.NomadServicesSnippet {
	tags := map[string][]string{}
	for _, s := range f.n.healthyServices("nomad") {
		tags[s.Name] = append(tags[s.Name], s.Tags...)
	}
	list := []*dependency.NomadServicesSnippet{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		slices.Sort(tags[name])
		list = append(list, &dependency.NomadServicesSnippet{Name: name, Tags: slices.Compact(tags[name])})
	}
	return list
}

func (f *facts) lookUpNomadService(d dependency.Dependency, what string) error {
	if strings.Contains(what, ":") && strings.Contains(what, "|") {
		return errors.New("nomadService with a count is not supported here: use nomadService with a name")
	}
	what, _, _ = strings.Cut(what, "@")
	tag, name := tagAndName(what)
	list := []*dependency.NomadService{}
	for _, s := range f.n.healthyServices("nomad") {
		if s.Name == name && (tag == "" || slices.Contains(s.Tags, tag)) {
			list = append(list, &dependency.NomadService{
				ID: s.ID, Name: s.Name, Node: f.n.node.id, Address: s.Address, Port: s.Port, Datacenter: datacenter,
				Tags: slices.Sorted(slices.Values(s.Tags)), JobID: s.JobID, AllocID: s.AllocationID,
			})
		}
	}
	f.brain.Remember(d, list)
	return nil
}

func (f *facts) lookUpConsulService(d dependency.Dependency, kind, what string) error {
	what, filter, _ := strings.Cut(what, "|")
	if kind != "health.service" || filter != dependency.HealthPassing || strings.ContainsAny(what, "@~?") {
		return fmt.Errorf("%s is not supported here: use service with a name, and a tag if need be", d)
	}
	tag, name := tagAndName(what)
	list := []*dependency.HealthService{}
	for _, s := range f.n.healthyServices(api.ServiceProviderConsul) {
		if s.Name == name && (tag == "" || slices.Contains(s.Tags, tag)) {
			list = append(list, &dependency.HealthService{
				Node: f.n.node.name, NodeID: f.n.node.id, NodeAddress: loopback, Address: s.Address, ID: s.ID, Name: s.Name,
				Tags: slices.Sorted(slices.Values(s.Tags)), ServiceMeta: s.Meta, Status: dependency.HealthPassing, Port: s.Port,
			})
		}
	}
	f.brain.Remember(d, list)
	return nil
}

// tagAndName takes tag.name apart; names have no dot.
func tagAndName(what string) (tag, name string) {
	if dot := strings.LastIndexByte(what, '.'); dot >= 0 {
		return what[:dot], what[dot+1:]
	}
	return "", what
}

// lookUpFile reads a file of the task; that it is one, consul-template has made sure of.
func (f *facts) lookUpFile(d dependency.Dependency, path string) error {
	root, err := os.OpenRoot(f.taskDir)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	defer root.Close()
	relative, err := filepath.Rel(f.taskDir, path)
	if err != nil {
		return fmt.Errorf("file: %w: write the path with {{ env \"NOMAD_TASK_DIR\" }}", err)
	}
	text, err := root.ReadFile(relative)
	if err != nil {
		return fmt.Errorf("file: %w", err)
	}
	f.brain.Remember(d, string(text))
	return nil
}
