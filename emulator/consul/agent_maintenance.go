package consul

import (
	"strconv"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// nodeMaintenance is the ID of the check that a node has while it is maintained.
const nodeMaintenance = "_node_maintenance"

// maintenanceCheck is the ID of the check that an instance has while it is maintained.
func maintenanceCheck(instance string) string { return "_service_maintenance:" + instance }

func serviceMaintenance(r *request) (any, error) {
	if r.PathValue("service") == "" {
		return nil, badRequest("Missing service ID")
	}
	enable, err := r.enable()
	if err != nil {
		return nil, err
	}
	s, err := r.registered()
	if err != nil {
		return nil, err
	}
	return nil, r.maintain(enable, state.Check{
		CheckID: maintenanceCheck(s.ID), Name: "Service Maintenance Mode", ServiceID: s.ID,
		Notes: "Maintenance mode is enabled for this service, but no reason was provided. This is a default message.",
	})
}

func agentMaintenance(r *request) (any, error) {
	enable, err := r.enable()
	if err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Node, r.agent.options.Node); err != nil {
		return nil, err
	}
	return nil, r.maintain(enable, state.Check{
		CheckID: nodeMaintenance, Name: "Node Maintenance Mode",
		Notes: "Maintenance mode is enabled for this node, but no reason was provided. This is a default message.",
	})
}

// enable reads the parameter of that name.
func (r *request) enable() (bool, error) {
	text := r.query.Get("enable")
	if text == "" {
		return false, badRequest("Missing value for enable")
	}
	enable, err := strconv.ParseBool(text)
	if err != nil {
		return false, badRequest("Invalid value for enable: %q", text)
	}
	return enable, nil
}

// maintain adds the check, which is critical as long as it is there, or removes
// it. The parameter reason replaces its notes. Adding it again changes nothing.
func (r *request) maintain(enable bool, c state.Check) error {
	a := r.agent
	c.Node, c.Type, c.Status = a.options.Node, "maintenance", api.HealthCritical
	if reason := r.query.Get("reason"); reason != "" {
		c.Notes = reason
	}
	return a.remove(func(tx *state.Tx) error {
		switch {
		case !enable:
			tx.DeleteLocalCheck(c.Node, c.CheckID)
		case tx.LocalCheck(c.Node, c.CheckID) == nil:
			return tx.PutLocalCheck(state.LocalCheck{Check: c})
		}
		return nil
	})
}
