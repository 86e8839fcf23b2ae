package consul

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"

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

func (reg *registration) node(datacenter string) state.Node {
	return state.Node{
		ID: reg.ID, Node: reg.Node, Address: reg.Address, Datacenter: datacenter,
		TaggedAddresses: reg.TaggedAddresses, Meta: reg.NodeMeta, Locality: reg.Locality,
	}
}

// changesNode tells whether the registration makes the node something else
// than it is; old is nil when it is not there.
func (reg *registration) changesNode(old *state.Node, datacenter string) bool {
	if old == nil || reg.SkipNodeUpdate {
		return old == nil
	}
	same := reg.node(datacenter)
	same.CreateIndex, same.ModifyIndex = old.CreateIndex, old.ModifyIndex
	return !reflect.DeepEqual(*old, same)
}

func (reg *registration) put(tx *state.Tx, datacenter string) error {
	if reg.changesNode(tx.Node(reg.Node), datacenter) {
		if err := tx.PutNode(reg.node(datacenter)); err != nil {
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
	_, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	return err
}
