package acl

// Access is what a caller wants to do with a resource. The zero value is no
// access; it is never allowed.
type Access uint8

// What a caller may want. Each includes the ones before it: who may write may
// also list and read.
const (
	// Read looks at one thing.
	Read Access = iota + 1
	// List enumerates keys. Only Key has it, and only where the agent is
	// configured with enable_key_list_policy: elsewhere ask for Read.
	List
	// Write creates, changes or removes one thing.
	Write
)

// String is the access as rules and error messages write it.
func (a Access) String() string {
	switch a {
	case Read:
		return "read"
	case List:
		return "list"
	case Write:
		return "write"
	default:
		return "none"
	}
}

// Resource is a kind of thing that rules protect.
type Resource uint8

// The resources of the rule language. Keyring, Mesh, Operator, Peering and ACL
// have no names: for these the name that is asked about is ignored.
const (
	// ACL is tokens, policies, roles and the like, and snapshots.
	ACL Resource = iota
	// Agent is the operations of one agent, named by its node.
	Agent
	// Event is user events.
	Event
	// Identity is workload identities.
	Identity
	// Intention is who may connect to a service; the name is the destination.
	// Its rules stand inside those of Service.
	Intention
	// Key is the key-value store.
	Key
	// Keyring is the gossip encryption keys.
	Keyring
	// Mesh is what rules the whole service mesh.
	Mesh
	// Node is catalog entries and coordinates of nodes.
	Node
	// Operator is what rules the cluster.
	Operator
	// Peering is connections to other clusters.
	Peering
	// Query is prepared queries.
	Query
	// Service is registrations and discovery of services.
	Service
	// Session is locks, named by the node that holds them.
	Session

	resources // how many there are
)

// String is the resource as rules and error messages write it.
func (r Resource) String() string {
	names := [resources]string{
		ACL: "acl", Agent: "agent", Event: "event", Identity: "identity", Intention: "intention",
		Key: "key", Keyring: "keyring", Mesh: "mesh", Node: "node", Operator: "operator",
		Peering: "peering", Query: "query", Service: "service", Session: "session",
	}
	if r >= resources {
		return "unknown"
	}
	return names[r]
}

// level is what a rule grants. Its order is that of precedence: where several
// policies have a rule for the same thing, the highest level holds. Up to Write
// the numbers are those of Access.
type level uint8

const (
	unset level = 0
	deny  level = level(Write) + 1
)

// allows reports whether the level grants the access. An unset level grants
// nothing: the caller falls back on something else first.
func (l level) allows(access Access) bool {
	return access != 0 && l != deny && l >= level(access)
}
