package acl

// Rules is what one policy says, checked. Make it with Parse. It is immutable.
type Rules struct {
	general [resources]level // of the resources without names
	named   [resources][]rule
}

// rule grants a level on one name of a resource, or on all that start with it.
type rule struct {
	name   string
	prefix bool
	level  level
}
