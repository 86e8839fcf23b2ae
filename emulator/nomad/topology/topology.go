// Package topology reads a file that says which regions, availability zones
// and nodes an emulated Nomad has:
//
//	region "global" {
//	  node "a1" {
//	    datacenter = "a"
//	    class      = "large"
//	    pool       = "default"
//	    meta       = { rack = "r1" }
//	    cpu        = 4000 # MHz
//	    memory     = 8192 # MiB
//	    disk       = 20480
//	    drivers    = ["raw_exec", "exec"]
//	    count      = 1
//	  }
//	}
//
// The commands `drydock nomad agent` and `drydock up` are its callers.
package topology

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2/hclsimple"

	"github.com/drydock/drydock/emulator/nomad"
)

// maxNodes bounds how many nodes a topology has.
const maxNodes = 10_000

type file struct {
	Regions []region `hcl:"region,block"`
}

type region struct {
	Name  string `hcl:"name,label"`
	HTTP  string `hcl:"http,optional"` // host:port; default a free port of 127.0.0.1
	Nodes []node `hcl:"node,block"`
}

type node struct {
	Name       string            `hcl:"name,label"`
	Datacenter string            `hcl:"datacenter,optional"`
	Pool       string            `hcl:"pool,optional"`
	Class      string            `hcl:"class,optional"`
	Meta       map[string]string `hcl:"meta,optional"`
	Attributes map[string]string `hcl:"attributes,optional"`
	Address    string            `hcl:"address,optional"`
	CPU        int64             `hcl:"cpu,optional"`
	Memory     int64             `hcl:"memory,optional"`
	Disk       int64             `hcl:"disk,optional"`
	Drivers    []string          `hcl:"drivers,optional"`
	Count      *int              `hcl:"count,optional"` // of such nodes, name-1, name-2, …
}

// Default is the topology of a laptop: one region with three nodes, each in an
// availability zone of its own, a, b and c.
func Default(name string) nomad.Region {
	r := nomad.Region{Name: name, Datacenter: "a"}
	for _, zone := range []string{"a", "b", "c"} {
		r.Nodes = append(r.Nodes, nomad.Node{Name: "node-" + zone, Datacenter: zone, Meta: map[string]string{"zone": zone}})
	}
	return r
}

// Load reads a topology. What it does not say of its first region is that of
// first. The error names the file and the place in it.
func Load(path string, first nomad.Region) ([]nomad.Region, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the topology: %w", err)
	}
	return Parse(path, text, first)
}

// Parse is Load for a text that is at hand.
func Parse(path string, text []byte, first nomad.Region) ([]nomad.Region, error) {
	var f file
	name := path
	if extension := filepath.Ext(path); extension != ".hcl" && extension != ".json" {
		name += ".hcl"
	}
	if err := hclsimple.Decode(name, text, nil, &f); err != nil {
		return nil, fmt.Errorf("read the topology %s: %w", path, err)
	}
	if len(f.Regions) == 0 {
		return nil, fmt.Errorf("read the topology %s: it has no region: add a block region \"global\" with the nodes in it", path)
	}
	var regions []nomad.Region
	for i, of := range f.Regions {
		r := nomad.Region{}
		if i == 0 {
			r = first
		}
		r.Name, r.Nodes = of.Name, nil
		if of.HTTP != "" {
			r.HTTP = of.HTTP
		}
		nodes, err := of.nodes()
		if err != nil {
			return nil, fmt.Errorf("read the topology %s: region %q: %w", path, of.Name, err)
		}
		r.Nodes = nodes
		regions = append(regions, r)
	}
	return regions, nil
}

func (r region) nodes() ([]nomad.Node, error) {
	var list []nomad.Node
	names := map[string]bool{}
	for _, of := range r.Nodes {
		count := 1
		if of.Count != nil {
			count = *of.Count
		}
		if count < 0 || len(list)+count > maxNodes {
			return nil, fmt.Errorf("node %q: the count %d is not from 0 to %d, all nodes together", of.Name, count, maxNodes)
		}
		for i := range count {
			n := of.options()
			if of.Count != nil {
				n.Name = fmt.Sprintf("%s-%d", of.Name, i+1)
			}
			if names[n.Name] {
				return nil, fmt.Errorf("there are two nodes named %q", n.Name)
			}
			names[n.Name] = true
			list = append(list, n)
		}
	}
	return list, nil
}

func (n node) options() nomad.Node {
	return nomad.Node{
		Name: n.Name, Datacenter: n.Datacenter, Pool: n.Pool, Class: n.Class, Meta: n.Meta, Attributes: n.Attributes,
		Address: n.Address, CPU: n.CPU, Memory: n.Memory, Disk: n.Disk, Drivers: n.Drivers,
	}
}
