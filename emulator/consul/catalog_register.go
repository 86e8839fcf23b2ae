package consul

import (
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// registration is the body of /v1/catalog/register.
type registration struct {
	Datacenter      string
	ID              string
	Node            string
	Address         string
	TaggedAddresses map[string]string
	NodeMeta        map[string]string
	Locality        *state.Locality
	Service         *registeredService
	Check           *registeredCheck
	Checks          []*registeredCheck
	SkipNodeUpdate  bool
	PeerName        string
}

type registeredService struct {
	state.Service
	PeerName string
}

type registeredCheck struct {
	state.Check
	PeerName string
}

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

// complete checks the registration, and adds to it what follows from the rest.
func (reg *registration) complete() error {
	switch {
	case reg.PeerName != "" || reg.Service != nil && reg.Service.PeerName != "":
		return errors.New("cannot register requests with PeerName in them")
	case reg.Node == "":
		return errText("Must provide node")
	case reg.Address == "" && !reg.SkipNodeUpdate:
		return errText("Must provide address if SkipNodeUpdate is not set")
	}
	if reg.ID != "" {
		if err := checkUUID(reg.ID); err != nil {
			return errText("Bad node ID: %v", err)
		}
	}
	if reg.Service != nil {
		if err := reg.Service.complete(reg.Node); err != nil {
			return err
		}
	}
	if reg.Check != nil {
		reg.Checks = append(reg.Checks, reg.Check)
	}
	for _, check := range reg.Checks {
		if err := check.complete(reg.Node); err != nil {
			return err
		}
	}
	return nil
}

func (s *registeredService) complete(node string) error {
	switch {
	case s.ID == "" && s.Service.Service == "":
		return errors.New("service name (Service.Service) is required; both Service ID (Service.ID) and Service Name cannot be empty")
	case s.Service.Service == "":
		return errText("Must provide service name (Service.Service) when service ID is provided")
	case s.ID == "":
		s.ID = s.Service.Service
	}
	s.Node = node
	return validateService(&s.Service)
}

func (c *registeredCheck) complete(node string) error {
	if c.CheckID == "" {
		c.CheckID = c.Name
	}
	if c.Node == "" {
		c.Node = node
	}
	if !state.SameName(c.Node, node) {
		return errText("Node '%s' for check '%s' doesn't match register request node '%s'", c.Node, c.CheckID, node)
	}
	if c.CheckID == "" {
		return fmt.Errorf("failed inserting check on node %q: failed health check lookup: index error: object is missing a value for this index", node)
	}
	return nil
}

// mayRegister needs the right to write the node and, where there are any, the
// services that the registration is about.
func (r *request) mayRegister(reg *registration) error {
	nodeToo := reg.Service == nil
	if reg.Service != nil {
		if err := r.need(acl.Write, acl.Service, reg.Service.Service.Service); err != nil {
			return err
		}
	}
	view := r.dc.store.View()
	for _, check := range reg.Checks {
		name := serviceOfCheck(view, reg, check)
		if name == "" {
			nodeToo = true
		} else if err := r.need(acl.Write, acl.Service, name); err != nil {
			return err
		}
	}
	if node := view.Node(reg.Node); node == nil || !reg.SkipNodeUpdate || nodeToo {
		return r.need(acl.Write, acl.Node, reg.Node)
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

func (reg *registration) put(tx *state.Tx, datacenter string) error {
	if tx.Node(reg.Node) == nil || !reg.SkipNodeUpdate {
		err := tx.PutNode(state.Node{
			ID: reg.ID, Node: reg.Node, Address: reg.Address, Datacenter: datacenter,
			TaggedAddresses: reg.TaggedAddresses, Meta: reg.NodeMeta, Locality: reg.Locality,
		})
		if err != nil {
			return fmt.Errorf("failed inserting node: %w", err)
		}
	}
	if reg.Service != nil {
		if err := checkServiceMeta(&reg.Service.Service); err != nil {
			return fmt.Errorf("failed inserting service: %w", err)
		}
		if err := tx.PutService(reg.Service.Service); err != nil {
			return err
		}
	}
	for _, check := range reg.Checks {
		if err := tx.PutCheck(check.Check); err != nil {
			return err
		}
	}
	return nil
}

// checkUUID tells what is wrong with the form of a UUID.
func checkUUID(text string) error {
	const length = len("00000000-0000-0000-0000-000000000000")
	if len(text) != length {
		return errors.New("uuid string is wrong length")
	}
	_, err := uuid.Parse(text)
	return err
}
