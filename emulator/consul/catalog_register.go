package consul

import (
	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func registerEntity(r *request) (any, error) {
	var reg registration
	if err := r.decodeStrictly(&reg); err != nil {
		return nil, err
	}
	if err := r.turnTo(reg.Datacenter); err != nil {
		return nil, err
	}
	if err := reg.complete(); err != nil {
		return nil, err
	}
	if err := r.mayRegister(&reg); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error { return reg.put(tx, r.dc.name) })
	return err == nil, err
}

// mayRegister needs the right to write the services that the registration is
// about and, when it changes the node or one of its own checks, the node.
func (r *request) mayRegister(reg *registration) error {
	view := r.dc.store.View()
	if reg.Service != nil {
		if err := r.mayReplace(view.Service(reg.Node, reg.Service.ID), reg.Service.Service.Service); err != nil {
			return err
		}
	}
	nodeToo := reg.changesNode(view.Node(reg.Node), r.dc.name)
	for _, check := range reg.Checks {
		if name := serviceOfCheck(view, reg, check); name == "" {
			nodeToo = true
		} else if err := r.need(acl.Write, acl.Service, name); err != nil {
			return err
		}
	}
	if nodeToo {
		return r.need(acl.Write, acl.Node, reg.Node)
	}
	_, err := r.identify()
	return err
}

// mayReplace needs the right to write a service and, when its instance takes
// the place of one of another service, that one too.
func (r *request) mayReplace(old *state.Service, name string) error {
	if err := r.need(acl.Write, acl.Service, name); err != nil {
		return err
	}
	if old != nil && !state.SameName(old.Service, name) && r.need(acl.Write, acl.Service, old.Service) != nil {
		return errDenied
	}
	return nil
}

// serviceOfCheck is the name of the service that a check is of; empty when it is of the node.
func serviceOfCheck(view *state.View, reg *registration, check *registeredCheck) string {
	if check.ServiceID == "" {
		return ""
	}
	if reg.Service != nil && reg.Service.ID == check.ServiceID {
		return reg.Service.Service.Service
	}
	if service := view.Service(reg.Node, check.ServiceID); service != nil {
		return service.Service
	}
	return check.ServiceName
}
