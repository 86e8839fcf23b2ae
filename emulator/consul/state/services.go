package state

import (
	"reflect"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableServices is the table of the catalog's service instances.
const TableServices = "services"

// Service is an instance of a service on a node. ID is unique on its node.
type Service struct {
	Node              string // that it runs on
	Kind              api.ServiceKind
	ID                string
	Service           string // the service's name
	Tags              []string
	Address           string
	TaggedAddresses   map[string]api.ServiceAddress
	Meta              map[string]string
	Port              int
	Ports             api.ServicePorts
	SocketPath        string
	Weights           api.AgentWeights
	EnableTagOverride bool
	Proxy             *api.AgentServiceConnectProxyConfig
	Connect           *api.AgentServiceConnect
	Locality          *Locality
	CreateIndex       uint64
	ModifyIndex       uint64
}

func serviceTables() store.Schema {
	return store.Schema{
		TableServices: store.Rows[Service](
			store.Unique("id", store.Both(store.Folded("Node"), store.Field("ID"))),
			store.Many("node", store.Folded("Node")),
			store.Many("service", store.Folded("Service")),
			store.Many("kind", store.Field("Kind")),
			store.Many("connect", connectIndex{}),
		),
		TableVirtualIPs:      virtualIPTable(),
		TableGatewayServices: gatewayServiceTable(),
	}
}

// Service finds an instance by its node and ID; nil when there is none.
func (v *View) Service(node, id string) *Service {
	return store.First[Service](v, TableServices, "id", node, id)
}

// PutService registers an instance, or changes it, on a node that has to be
// there: otherwise the error is a *NoNodeError. Weights that are not set are 1;
// one that is reached with Connect is given its virtual address. What is as it
// was keeps its index.
func (tx *Tx) PutService(s Service) error {
	node := tx.Node(s.Node)
	if node == nil {
		return &NoNodeError{s.Node}
	}
	s.Node = node.Node
	s = tx.completeService(s)
	s.CreateIndex, s.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	old := tx.Service(s.Node, s.ID)
	if old != nil {
		s.CreateIndex = old.CreateIndex
		same := *old
		same.ModifyIndex = s.ModifyIndex
		if reflect.DeepEqual(same, s) {
			return nil
		}
	}
	tx.Insert(TableServices, &s)
	if old != nil {
		tx.leaveService(old)
	}
	if old == nil || !SameName(old.Service, s.Service) {
		tx.relinkGateways()
	}
	tx.markService(&s)
	tx.Mark(nodeMark(s.Node))
	return nil
}

// completeService adds what every instance in the catalog has.
func (tx *Tx) completeService(s Service) Service {
	if s.Tags == nil {
		s.Tags = []string{}
	}
	if s.Weights.Passing < 1 {
		s.Weights = api.AgentWeights{Passing: 1, Warning: 1}
	}
	for _, port := range s.Ports {
		if port.Default {
			s.Port = port.Port
		}
	}
	return tx.withVirtualIP(s)
}

// DeleteService removes an instance with its checks. It does nothing when the
// instance is not there.
func (tx *Tx) DeleteService(node, id string) {
	service := tx.Service(node, id)
	if service == nil {
		return
	}
	for _, check := range store.Collect[Check](tx, TableChecks, "instance", node, id) {
		tx.DeleteCheck(node, check.CheckID)
	}
	tx.Delete(TableServices, service)
	tx.leaveService(service)
	tx.relinkGateways()
	tx.Mark(nodeMark(service.Node))
}
