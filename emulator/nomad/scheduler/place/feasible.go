package place

import (
	"fmt"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// The reasons for which a node is filtered, beside constraints and what is named in them.
const (
	reasonClass       = "computed class ineligible"
	reasonDevices     = "missing devices"
	reasonDrivers     = "missing drivers"
	reasonHostVolumes = "missing compatible host volumes"
	reasonNetwork     = "missing network"
)

// infeasible tells why the node cannot run the group even if it were empty;
// "" when it can. What holds for a whole class of nodes is found out once.
func (s *Selector) infeasible(node *state.Node, g *group, name string) (reason string) {
	reason = byClass(s.jobClasses, node, s.escapes, func() string { return violated(s.constraints, node) })
	if reason == "" {
		reason = byClass(g.classes, node, g.escapes, func() string { return g.infeasible(node) })
	}
	if reason == "" {
		reason = s.missingVolume(node, g, name)
	}
	return reason
}

// byClass is the reason that check finds, unless it is known of the node's
// class already, of which it is noted then. Of what escapes classes nothing is noted.
func byClass(classes map[string]bool, node *state.Node, escapes bool, check func() (reason string)) (reason string) {
	if eligible, known := classes[node.ComputedClass]; known {
		if eligible {
			return ""
		}
		return reasonClass
	}
	reason = check()
	if !escapes && node.ComputedClass != "" {
		classes[node.ComputedClass] = reason == ""
	}
	return reason
}

// infeasible checks what all nodes of a class have in common.
func (g *group) infeasible(node *state.Node) (reason string) {
	for _, driver := range g.drivers {
		if !usable(node.Drivers[driver]) {
			return reasonDrivers
		}
	}
	if reason = violated(g.constraints, node); reason != "" {
		return reason
	}
	if !hasDevices(node, g.devices) {
		return reasonDevices
	}
	return missingNetwork(node, g.Networks)
}

func usable(driver *api.DriverInfo) bool { return driver != nil && driver.Detected && driver.Healthy }

// missingNetwork checks the mode of a group's network, and its host networks.
func missingNetwork(node *state.Node, networks []*api.NetworkResource) (reason string) {
	for _, network := range networks {
		if !hasMode(node, network.Mode) {
			return reasonNetwork
		}
		for _, port := range slices.Concat(network.DynamicPorts, network.ReservedPorts) {
			if port.HostNetwork == "" || port.HostNetwork == defaultHostNetwork {
				continue
			}
			if node.HostNetworks[port.HostNetwork] == nil {
				return fmt.Sprintf("missing host network %q for port %q", port.HostNetwork, port.Label)
			}
		}
	}
	return ""
}

func hasMode(node *state.Node, mode string) bool {
	if mode == "" || mode == "none" {
		mode = "host"
	}
	return mode == "host" || node.NodeResources != nil &&
		slices.ContainsFunc(node.NodeResources.Networks, func(n *api.NetworkResource) bool { return n.Mode == mode })
}

// Feasible tells whether a node could run an instance of a group if it were
// empty, and if not, the reason in the words of the metrics.
func (s *Selector) Feasible(node *state.Node, of *api.TaskGroup) (ok bool, reason string) {
	reason = s.infeasible(node, s.group(of), "")
	return reason == "", reason
}

// Eligibility is what is known of computed node classes after placing.
type Eligibility struct {
	// Classes has, for each class that was looked at, whether any of the
	// groups can run on its nodes; nil when Escaped.
	Classes map[string]bool
	// Escaped tells that classes say too little: a constraint is on what is
	// unique to a node.
	Escaped bool
}

// Eligibility tells which nodes could ever run the groups that Place was
// called for, as a blocked evaluation has to know.
func (s *Selector) Eligibility() Eligibility {
	e := Eligibility{Classes: map[string]bool{}, Escaped: s.escapes}
	for _, g := range s.groups {
		e.Escaped = e.Escaped || g.escapes
		for class, eligible := range g.classes {
			e.Classes[class] = e.Classes[class] || eligible
		}
	}
	if e.Escaped {
		return Eligibility{Escaped: true}
	}
	for class, eligible := range s.jobClasses {
		if !eligible {
			e.Classes[class] = false
		}
	}
	return e
}
