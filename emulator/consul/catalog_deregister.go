package consul

import (
	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// deregistration is the body of /v1/catalog/deregister. What it names last,
// service or check, goes; with neither the whole node does.
type deregistration struct {
	Datacenter string
	Node       string
	Address    string // not heeded
	ServiceID  string
	CheckID    string
}

func deregisterEntity(r *request) (any, error) {
	var d deregistration
	if err := r.decodeStrictly(&d); err != nil {
		return nil, err
	}
	if err := r.turnTo(d.Datacenter); err != nil {
		return nil, err
	}
	if d.Node == "" {
		return nil, errText("Must provide node")
	}
	if err := r.mayDeregister(d); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error {
		switch {
		case d.ServiceID != "":
			tx.DeleteService(d.Node, d.ServiceID)
		case d.CheckID != "":
			tx.DeleteCheck(d.Node, d.CheckID)
		default:
			tx.DeleteNode(d.Node)
		}
		return nil
	})
	return err == nil, err
}

// mayDeregister needs the right to write the service that something is of, or
// else the node. Who may write the node may take everything off it.
func (r *request) mayDeregister(d deregistration) error {
	onNode := r.need(acl.Write, acl.Node, d.Node)
	if onNode == nil {
		return nil
	}
	view := r.dc.store.View()
	switch {
	case d.ServiceID != "":
		service := view.Service(d.Node, d.ServiceID)
		if service == nil {
			return errText("Unknown service ID '%s'", d.ServiceID)
		}
		return r.need(acl.Write, acl.Service, service.Service)
	case d.CheckID != "":
		check := view.Check(d.Node, d.CheckID)
		if check == nil {
			return errText("Unknown check ID '%s'", d.CheckID)
		}
		if check.ServiceName != "" {
			return r.need(acl.Write, acl.Service, check.ServiceName)
		}
	}
	return onNode
}
