package nomad

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
	consul "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/client/docker"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
	"github.com/drydock/drydock/emulator/nomad/client/mock"
	"github.com/drydock/drydock/emulator/nomad/client/process"
	"github.com/drydock/drydock/emulator/nomad/client/rawexec"
	"github.com/drydock/drydock/emulator/nomad/client/services"
	"github.com/drydock/drydock/emulator/nomad/client/template"
)

// machine is what the nodes of all regions share: they are all on it.
type machine struct {
	known   *client.Machine
	starter *process.Starter
	drivers []driver.Driver
	docker  *docker.Driver
	ports   *ports
	consul  *services.Agent // nil without one

	fingerprint fingerprint
}

// findMachine looks at the machine once. Nothing runs until something is started.
func (n *Nomad) findMachine(ctx context.Context) error {
	known, err := client.FindMachine(ctx, n.options.Dir)
	if err != nil {
		return err
	}
	starter := process.NewStarter()
	engine, err := docker.New(os.Getenv("DOCKER_HOST"), n.log)
	if err != nil {
		return err
	}
	n.machine = &machine{known: known, starter: starter, ports: newPorts(), docker: engine, drivers: []driver.Driver{
		rawexec.NewRaw(starter), rawexec.NewExec(starter), mock.Driver{}, engine,
	}}
	if n.options.Consul == "" {
		return nil
	}
	n.machine.consul, err = services.NewAgent(consul.Config{Address: n.options.Consul}, n.log)
	if err == nil {
		n.background.Go(func() { n.machine.consul.Run(ctx) })
	}
	return err
}

func (m *machine) close() error {
	if m == nil {
		return nil
	}
	m.docker.Close()
	m.ports.close()
	return m.starter.Close()
}

// driversNamed are those that a node has; without names, all.
func (m *machine) driversNamed(names []string) ([]driver.Driver, error) {
	if names == nil {
		return m.drivers, nil
	}
	var list []driver.Driver
	for _, name := range names {
		i := slices.IndexFunc(m.drivers, func(d driver.Driver) bool { return d.Name() == name })
		if i < 0 {
			var known []string
			for _, d := range m.drivers {
				known = append(known, d.Name())
			}
			return nil, fmt.Errorf("there is no driver %q: there are %s", name, strings.Join(known, ", "))
		}
		list = append(list, m.drivers[i])
	}
	return list, nil
}

// startNodes starts the region's nodes, side by side.
func (r *region) startNodes() error {
	failures := make([]error, len(r.options.Nodes))
	var starting sync.WaitGroup
	for i, o := range r.options.Nodes {
		starting.Go(func() {
			if o.Name == "" {
				o.Name = fmt.Sprintf("node-%d", i+1)
			}
			if err := r.startNode(i, o); err != nil {
				failures[i] = fmt.Errorf("node %s: %w", o.Name, err)
			}
		})
	}
	starting.Wait()
	return errors.Join(failures...)
}

func (r *region) startNode(place int, o Node) error {
	dir := filepath.Join(r.dir, "client", o.Name)
	id, err := r.nodeID(dir, o.ID)
	if err != nil {
		return err
	}
	drivers, err := r.nomad.machine.driversNamed(o.Drivers)
	if err != nil {
		return err
	}
	c, err := client.Start(r.running, client.Options{
		Node: r.nodeOf(o, id), Server: r, Region: r.options.Name, Drivers: drivers, Machine: r.nomad.machine.known,
		Templates:  template.New(template.Config{Nomad: r.listener.URL(), Consul: r.nomad.options.Consul, Logger: r.nomad.log}),
		Services:   services.New(services.Config{Servers: r, Consul: r.nomad.machine.consul, Logger: r.nomad.log}),
		Attributes: r.nomad.machine.attributes, Peer: r.clientOf, Settings: o.Options, Dir: dir, Path: r.nomad.options.Path,
		Logger: r.nomad.log, Output: r.nomad.options.Output,
	})
	if err != nil {
		return err
	}
	r.nodes.put(place, len(r.options.Nodes), id, c)
	return nil
}

// nodeID is the one given or, made up once, that of a file in the node's folder,
// which only a later start reads.
func (r *region) nodeID(dir, given string) (string, error) {
	switch {
	case given != "":
		return given, nil
	case r.nomad.temporary:
		return uuid.NewString(), nil
	}
	file := filepath.Join(dir, "client-id")
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the node's ID: %w", err)
	}
	id := uuid.NewString()
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", fmt.Errorf("make the node's folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(id), 0o600); err != nil {
		return "", fmt.Errorf("keep the node's ID: %w", err)
	}
	return id, nil
}

// connectMeta is the metadata that every node has, for sidecars of Consul Connect:
// https://developer.hashicorp.com/nomad/docs/configuration/client.
var connectMeta = map[string]string{
	"connect.log_level":                               "info",
	"connect.proxy_concurrency":                       "1",
	"connect.sidecar_image":                           "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}",
	"connect.gateway_image":                           "docker.io/envoyproxy/envoy:v${NOMAD_envoy_version}",
	"connect.transparent_proxy.default_outbound_port": "15001",
	"connect.transparent_proxy.default_uid":           "101",
}

// nodeOf is the node as the topology has it; the client adds what it finds out.
func (r *region) nodeOf(o Node, id string) *api.Node {
	volumes := maps.Clone(o.HostVolumes)
	if volumes == nil {
		volumes = map[string]*api.HostVolumeInfo{}
	}
	for v := range r.store.View().HostVolumesOfNode(id) { // made before a restart
		volumes[v.Name] = &api.HostVolumeInfo{ID: v.ID, Path: v.HostPath}
	}
	node := &api.Node{
		ID: id, Name: o.Name, Datacenter: o.Datacenter, NodePool: o.Pool, NodeClass: o.Class,
		Attributes: map[string]string{}, HTTPAddr: r.listener.Address(), TLSEnabled: r.options.TLS != nil,
		HostVolumes: volumes, HostNetworks: o.HostNetworks, ReservedResources: o.Reserved,
		NodeResources: &api.NodeResources{
			Cpu: api.NodeCpuResources{CpuShares: o.CPU}, Memory: api.NodeMemoryResources{MemoryMB: o.Memory},
			Disk: api.NodeDiskResources{DiskMB: o.Disk},
		},
	}
	if node.Datacenter == "" {
		node.Datacenter = r.options.Datacenter
	}
	if node.NodePool == "" {
		node.NodePool = api.NodePoolDefault
	}
	node.Meta = maps.Clone(connectMeta)
	maps.Copy(node.Meta, o.Meta)
	for name, value := range o.Attributes {
		node.Attributes[name] = value
	}
	if o.Address != "" {
		node.NodeResources.Networks = []*api.NetworkResource{
			{Mode: "host", Device: "lo", IP: o.Address, CIDR: o.Address + "/32", MBits: new(1000)},
		}
	}
	return node
}
