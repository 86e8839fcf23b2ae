package services

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"reflect"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/environment"
	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// scope is whose services they are: a task's, or, without one, the group's.
type scope struct{ task hook.Task }

// owner is the name of the task; empty for the group.
func (s scope) owner() string {
	if s.task == nil {
		return ""
	}
	return s.task.Spec().Name
}

// instance is a service of the allocation with all its references resolved.
type instance struct {
	owner       string // of the scope
	id          string
	name        string
	kind        string
	provider    string
	tags        []string
	tagOverride bool // others may change the tags in Consul
	meta        map[string]string
	address     string
	port        int
	tagged      map[string]endpoint
	weights     *api.ServiceWeights
	checks      []check
}

func (i instance) equal(o instance) bool { return reflect.DeepEqual(i, o) }

// How much of its identity is the ID of a check, in characters.
const (
	consulIdentity = 40
	nomadIdentity  = 32
)

// check is a check of an instance with all its references resolved.
type check struct {
	id       string
	name     string
	spec     *api.ServiceCheck // for what has no references
	endpoint endpoint
	url      string // of an HTTP check
	body     string
	header   map[string][]string
	service  string   // the gRPC service
	command  []string // of a script; what it refers to is the task's
	task     string   // of a script, or to be restarted; empty: all tasks
}

// build resolves the services of the scope as the job has them now.
func (a *allocation) build(s scope) []instance {
	alloc := a.of.Allocation()
	group := alloc.GetTaskGroup()
	if group == nil {
		return nil
	}
	b := builder{owner: s.owner(), alloc: alloc, env: a.of.Env()}
	specs, prefix := group.Services, "group-"+*group.Name
	var network *driver.Network
	if s.task != nil {
		b.env, network = s.task.Env(), s.task.Network()
		specs, prefix = s.task.Spec().Services, s.owner()
	}
	b.places = placesOf(alloc, a.of.Node(), network)
	list := make([]instance, 0, len(specs))
	for _, spec := range specs {
		list = append(list, b.instance(spec, prefix))
	}
	return list
}

// builder resolves the services of one scope.
type builder struct {
	places
	owner string
	alloc *api.Allocation
	env   environment.Env
}

func (b *builder) instance(spec *api.Service, prefix string) instance {
	label := b.env.Interpolate(spec.PortLabel)
	name := b.env.Interpolate(spec.Name)
	i := instance{
		owner: b.owner, name: name, kind: spec.Kind, provider: spec.Provider,
		id:          fmt.Sprintf("%s%s-%s-%s-%s", servicePrefix, b.alloc.ID, prefix, name, label),
		tagOverride: spec.EnableTagOverride, weights: spec.Weights, tagged: map[string]endpoint{},
	}
	tags, meta := spec.Tags, spec.Meta
	if status := b.alloc.DeploymentStatus; status != nil && status.Canary {
		if len(spec.CanaryTags) > 0 {
			tags = spec.CanaryTags
		}
		if len(spec.CanaryMeta) > 0 {
			meta = spec.CanaryMeta
		}
	}
	i.tags, i.meta = b.list(tags), b.table(meta)
	at := b.find(spec.AddressMode, label)
	if address := b.env.Interpolate(spec.Address); address != "" {
		at.address = address
	}
	i.address, i.port = at.address, at.port
	for key, value := range spec.TaggedAddresses {
		i.tagged[key] = parseEndpoint(b.env.Interpolate(value), at.port)
	}
	for n := range spec.Checks {
		i.checks = append(i.checks, b.check(i, spec, &spec.Checks[n], n, label))
	}
	return i
}

func (b *builder) check(i instance, of *api.Service, spec *api.ServiceCheck, number int, label string) check {
	c := check{
		name: b.env.Interpolate(spec.Name), spec: spec, body: b.env.Interpolate(spec.Body),
		service: b.env.Interpolate(spec.GRPCService), task: spec.TaskName,
	}
	if c.name == "" {
		c.name = fmt.Sprintf("service: %q check", i.name)
	}
	switch {
	case b.owner != "":
		c.task = b.owner
	case c.task == "":
		c.task = of.TaskName
	}
	if own := b.env.Interpolate(spec.PortLabel); own != "" {
		label = own
	}
	mode := spec.AddressMode
	if mode == "" && spec.PortLabel == "" && of.AddressMode != modeAuto {
		mode = of.AddressMode
	}
	if mode == "" {
		mode = modeHost
	}
	c.endpoint = b.find(mode, label)
	switch spec.Type {
	case "http":
		c.url = b.url(spec, c.endpoint)
		c.header = map[string][]string{}
		for name, values := range spec.Header {
			c.header[b.env.Interpolate(name)] = b.list(values)
		}
	case "script":
		c.command = append([]string{spec.Command}, spec.Args...)
	}
	c.id = consulCheckPrefix + c.identity(i.id, number)[:consulIdentity]
	if i.provider == providerNomad {
		c.id = c.identity(i.id, number)[:nomadIdentity]
	}
	return c
}

// identity is the same, in hexadecimal, for the same check of the same instance, and only then.
func (c check) identity(service string, number int) string {
	text, err := json.Marshal([]any{service, number, c.name, c.spec, c.endpoint.String(), c.url, c.body, c.header, c.service, c.command, c.task})
	if err != nil {
		panic(err) // of plain values
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func (b *builder) url(spec *api.ServiceCheck, at endpoint) string {
	scheme := spec.Protocol
	if scheme == "" {
		scheme = "http"
	}
	base := url.URL{Scheme: scheme, Host: at.String(), Path: "/"}
	path := b.env.Interpolate(spec.Path)
	relative, err := url.Parse(path)
	if err != nil { // asked for as it is
		return base.String() + path
	}
	return base.ResolveReference(relative).String()
}

func (b *builder) list(texts []string) []string {
	list := make([]string, len(texts))
	for i, text := range texts {
		list[i] = b.env.Interpolate(text)
	}
	return list
}

func (b *builder) table(texts map[string]string) map[string]string {
	table := make(map[string]string, len(texts))
	for key, value := range maps.All(texts) {
		table[b.env.Interpolate(key)] = b.env.Interpolate(value)
	}
	return table
}

// endpoint is where something is reached.
type endpoint struct {
	address string
	port    int
}

func (e endpoint) String() string { return net.JoinHostPort(e.address, strconv.Itoa(e.port)) }

// parseEndpoint reads an address with a port, or takes the other port.
func parseEndpoint(text string, otherwise int) endpoint {
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		return endpoint{address: text, port: otherwise}
	}
	port, err := strconv.Atoi(number)
	if err != nil {
		port = otherwise
	}
	return endpoint{address: host, port: port}
}
