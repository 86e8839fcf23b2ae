package acl

// Resource is a kind of thing that rules protect.
type Resource uint8

// The resources of the rule language. ACL, Keyring, Mesh, Operator and Peering
// have no names: for these the name that is asked about is ignored.
const (
	// ACL is tokens, policies, roles and the like, and snapshots.
	ACL Resource = iota
	// Keyring is the gossip encryption keys.
	Keyring
	// Mesh is what governs the whole service mesh.
	Mesh
	// Operator is what governs the cluster.
	Operator
	// Peering is connections to other clusters.
	Peering
	// Agent is the operations of one agent, named by its node.
	Agent
	// Event is user events.
	Event
	// Intention is who may connect to a service; the name is the destination,
	// and * is all of them. Its rules stand inside those of Service.
	Intention
	// Key is the key-value store.
	Key
	// Node is catalog entries and coordinates of nodes.
	Node
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
		ACL: "acl", Keyring: "keyring", Mesh: "mesh", Operator: "operator", Peering: "peering",
		Agent: "agent", Event: "event", Intention: "intention", Key: "key", Node: "node",
		Query: "query", Service: "service", Session: "session",
	}
	if r >= resources {
		return "unknown"
	}
	return names[r]
}

// named reports whether rules for the resource name things of it.
func (r Resource) named() bool { return r > Peering }
