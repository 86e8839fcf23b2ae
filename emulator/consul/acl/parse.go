package acl

import (
	"fmt"

	"github.com/hashicorp/hcl"
)

// document is the rule language. What it has no field for is ignored, as
// Consul's community edition ignores the resources of the enterprise edition.
type document struct {
	ACL             string        `hcl:"acl"`
	Agents          []namedRule   `hcl:"agent,expand"`
	AgentPrefixes   []namedRule   `hcl:"agent_prefix,expand"`
	Keys            []namedRule   `hcl:"key,expand"`
	KeyPrefixes     []namedRule   `hcl:"key_prefix,expand"`
	Nodes           []namedRule   `hcl:"node,expand"`
	NodePrefixes    []namedRule   `hcl:"node_prefix,expand"`
	Services        []serviceRule `hcl:"service,expand"`
	ServicePrefixes []serviceRule `hcl:"service_prefix,expand"`
	Sessions        []namedRule   `hcl:"session,expand"`
	SessionPrefixes []namedRule   `hcl:"session_prefix,expand"`
	Events          []namedRule   `hcl:"event,expand"`
	EventPrefixes   []namedRule   `hcl:"event_prefix,expand"`
	Queries         []namedRule   `hcl:"query,expand"`
	QueryPrefixes   []namedRule   `hcl:"query_prefix,expand"`
	Keyring         string        `hcl:"keyring"`
	Operator        string        `hcl:"operator"`
	Mesh            string        `hcl:"mesh"`
	Peering         string        `hcl:"peering"`
}

type namedRule struct {
	Name   string `hcl:",key"`
	Policy string
}

type serviceRule struct {
	Name       string `hcl:",key"`
	Policy     string
	Intentions string
}

// SyntaxError says that rules are neither HCL nor JSON of the rule language.
type SyntaxError struct {
	Cause error // says where
}

// Error is in the words of Consul.
func (e *SyntaxError) Error() string { return "Failed to parse ACL rules: " + e.Cause.Error() }

func (e *SyntaxError) Unwrap() error { return e.Cause }

// PolicyError says that a rule has a policy that its resource does not know.
type PolicyError struct {
	Kind string // as the rule is written: key_prefix, operator, "service intentions"
	Rule string // the rule as Consul prints it
}

// Error is in the words of Consul.
func (e *PolicyError) Error() string { return fmt.Sprintf("Invalid %s policy: %s", e.Kind, e.Rule) }

// Parse reads the rules of one policy, in HCL or JSON. Resources that it does
// not know are ignored. The error is a *SyntaxError or a *PolicyError.
func Parse(rules string) (*Rules, error) {
	var doc document
	if err := hcl.DecodeErrorOnDuplicates(&doc, rules); err != nil {
		return nil, &SyntaxError{Cause: err}
	}
	return doc.check()
}

// check turns a document into Rules. The order is that in which Consul looks
// for errors, so that of several the same one is told.
func (d *document) check() (*Rules, error) {
	c := &checker{rules: new(Rules)}
	c.general(ACL, d.ACL)
	c.pair(Agent, d.Agents, d.AgentPrefixes)
	c.pair(Key, d.Keys, d.KeyPrefixes)
	c.pair(Node, d.Nodes, d.NodePrefixes)
	c.services("service", d.Services, false)
	c.services("service_prefix", d.ServicePrefixes, true)
	c.pair(Session, d.Sessions, d.SessionPrefixes)
	c.pair(Event, d.Events, d.EventPrefixes)
	c.pair(Query, d.Queries, d.QueryPrefixes)
	c.general(Keyring, d.Keyring)
	c.general(Operator, d.Operator)
	c.general(Mesh, d.Mesh)
	c.general(Peering, d.Peering)
	if c.err != nil {
		return nil, c.err
	}
	return c.rules, nil
}
