package state

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableChecks is the table of the catalog's health checks.
const TableChecks = "checks"

// Check is a health check of a node or, with ServiceID, of one of its service
// instances. CheckID is unique on its node.
type Check struct {
	Node        string
	CheckID     string
	Name        string
	Status      string // api.HealthPassing, api.HealthWarning or api.HealthCritical
	Notes       string
	Output      string
	ServiceID   string
	ServiceName string
	ServiceTags []string
	Type        string
	Interval    string
	Timeout     string
	ExposedPort int
	Definition  CheckDefinition `bexpr:"-"`
	CreateIndex uint64          `bexpr:"-"`
	ModifyIndex uint64          `bexpr:"-"`
}

func checkTables() store.Schema {
	return store.Schema{
		TableChecks: store.Rows[Check](
			store.Unique("id", store.Both(store.Folded("Node"), store.Field("CheckID"))),
			store.Many("node", store.Folded("Node")),
			store.Many("instance", store.Both(store.Folded("Node"), store.Field("ServiceID"))),
			store.Many("service", store.Folded("ServiceName")),
			store.Many("status", store.Field("Status")),
			store.Many("of node", nodeLevelIndex{}),
		),
	}
}

// nodeLevelIndex leads from a node to the checks that are of the node itself.
type nodeLevelIndex struct{}

func (nodeLevelIndex) FromObject(row any) (bool, []byte, error) {
	check := row.(*Check)
	return check.ServiceID == "", []byte(strings.ToLower(check.Node) + "\x00"), nil
}

func (nodeLevelIndex) FromArgs(args ...any) ([]byte, error) {
	return []byte(strings.ToLower(args[0].(string)) + "\x00"), nil
}

// HealthOf are the checks on which the health of an instance rests: those of
// its node and its own.
func (v *View) HealthOf(s *Service) []*Check {
	checks := store.Collect[Check](v, TableChecks, "of node", s.Node)
	for check := range store.All[Check](v, TableChecks, "instance", s.Node, s.ID) {
		checks = append(checks, check)
	}
	return checks
}

// NoServiceError says that a check names an instance that its node does not have.
type NoServiceError struct{ Node, ServiceID, CheckID string }

func (e *NoServiceError) Error() string {
	return fmt.Sprintf("Unknown service ID '%s' for check ID '%s'", e.ServiceID, e.CheckID)
}

// Check finds a check by its node and ID; nil when there is none.
func (v *View) Check(node, id string) *Check {
	return store.First[Check](v, TableChecks, "id", node, id)
}

// PutCheck registers a check, or changes it, of a node and instance that have
// to be there: otherwise the error is a *NoNodeError or *NoServiceError. One
// without a status is critical. One that turns critical ends the sessions that
// rest on it. What is as it was keeps its index.
func (tx *Tx) PutCheck(c Check) error {
	c, err := tx.completeCheck(c)
	if err != nil {
		return err
	}
	c.CreateIndex, c.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old := tx.Check(c.Node, c.CheckID); old != nil {
		c.CreateIndex = old.CreateIndex
		same := *old
		same.ModifyIndex = c.ModifyIndex
		if reflect.DeepEqual(same, c) {
			return nil
		}
		if old.ServiceID != c.ServiceID {
			tx.markCheck(old)
		}
	}
	tx.Insert(TableChecks, &c)
	tx.markCheck(&c)
	if c.Status == api.HealthCritical {
		tx.endSessionsOfCheck(c.Node, c.CheckID)
	}
	return nil
}

// completeCheck adds what every check in the catalog has.
func (tx *Tx) completeCheck(c Check) (Check, error) {
	node := tx.Node(c.Node)
	if node == nil {
		return c, &NoNodeError{c.Node}
	}
	c.Node = node.Node
	if c.Type == "" && c.Definition.Interval > 0 {
		c.Type = c.Definition.kind()
	}
	if c.ServiceID != "" {
		service := tx.Service(c.Node, c.ServiceID)
		if service == nil {
			return c, &NoServiceError{c.Node, c.ServiceID, c.CheckID}
		}
		c.ServiceName, c.ServiceTags = service.Service, service.Tags
	}
	if c.ServiceTags == nil {
		c.ServiceTags = []string{}
	}
	if c.Status == "" {
		c.Status = api.HealthCritical
	}
	return c, nil
}

// DeleteCheck removes a check, and ends the sessions that rest on it. It does
// nothing when the check is not there.
func (tx *Tx) DeleteCheck(node, id string) {
	check := tx.Check(node, id)
	if check == nil {
		return
	}
	tx.Delete(TableChecks, check)
	tx.markCheck(check)
	tx.endSessionsOfCheck(check.Node, check.CheckID)
}

// markCheck marks the service that the check is of, or all that the node has.
func (tx *Tx) markCheck(c *Check) {
	if c.ServiceID != "" {
		if service := tx.Service(c.Node, c.ServiceID); service != nil {
			tx.markService(service)
		}
		return
	}
	for service := range store.All[Service](tx, TableServices, "node", c.Node) {
		tx.markService(service)
	}
}
