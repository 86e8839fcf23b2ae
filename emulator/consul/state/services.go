package state

import (
	"reflect"
	"strings"

	"github.com/hashicorp/consul/api"
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

func serviceTables() map[string]table {
	return map[string]table{
		TableServices: {reflect.TypeFor[Service](), indexes(
			unique("id", both(folded("Node"), field("ID"))),
			many("node", folded("Node")),
			many("service", folded("Service")),
			many("kind", field("Kind")),
			many("connect", connectIndex{}),
		)},
	}
}

// connectIndex leads from a service's name to the instances through which it
// is reached with Connect: its proxies, and itself where it speaks it natively.
type connectIndex struct{}

// ConnectName is the service that the instance makes reachable with Connect; empty when none.
func (s *Service) ConnectName() string {
	switch {
	case s.Kind == api.ServiceKindConnectProxy && s.Proxy != nil:
		return s.Proxy.DestinationServiceName
	case s.Connect != nil && s.Connect.Native:
		return s.Service
	default:
		return ""
	}
}

func (connectIndex) FromObject(row any) (bool, []byte, error) {
	name := row.(*Service).ConnectName()
	return name != "", []byte(strings.ToLower(name) + "\x00"), nil
}

func (connectIndex) FromArgs(args ...any) ([]byte, error) {
	return []byte(strings.ToLower(args[0].(string)) + "\x00"), nil
}

// serviceMark is the mark of all that is known about a service.
func serviceMark(name string) string { return "service." + strings.ToLower(name) }

// ServiceIndex is the index of the last change of what is known about a
// service: its instances, their nodes and their checks. A service without
// instances has that of the whole catalog's services.
func (v *View) ServiceIndex(name string) uint64 {
	if index := v.Index(serviceMark(name)); index > 0 {
		return index
	}
	return v.Index(TableServices)
}

// Service finds an instance by its node and ID; nil when there is none.
func (v *View) Service(node, id string) *Service {
	return First[Service](v, TableServices, "id", node, id)
}

// PutService registers an instance, or changes it, on a node that has to be
// there: otherwise the error is a *NoNodeError. What is as it was keeps its index.
func (tx *Tx) PutService(s Service) error {
	node := tx.Node(s.Node)
	if node == nil {
		return &NoNodeError{s.Node}
	}
	s.Node = node.Node
	s.CreateIndex, s.ModifyIndex = tx.index, tx.index
	if old := tx.Service(s.Node, s.ID); old != nil {
		s.CreateIndex = old.CreateIndex
		same := *old
		same.ModifyIndex = s.ModifyIndex
		if reflect.DeepEqual(same, s) {
			return nil
		}
		if !SameName(old.Service, s.Service) {
			tx.markService(old)
		}
	}
	tx.Insert(TableServices, &s)
	tx.markService(&s)
	return nil
}

// DeleteService removes an instance with its checks. It does nothing when the
// instance is not there.
func (tx *Tx) DeleteService(node, id string) {
	service := tx.Service(node, id)
	if service == nil {
		return
	}
	for _, check := range Collect[Check](&tx.View, TableChecks, "instance", node, id) {
		tx.DeleteCheck(node, check.CheckID)
	}
	tx.Delete(TableServices, service)
	tx.markService(service)
	if First[Service](&tx.View, TableServices, "service", service.Service) == nil {
		tx.Unmark(serviceMark(service.Service)) // the table's index is higher or the same
	}
}

func (tx *Tx) markService(s *Service) {
	tx.Mark(serviceMark(s.Service))
	if name := s.ConnectName(); name != "" {
		tx.Mark(serviceMark(name))
	}
}
