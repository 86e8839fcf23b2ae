package acl

// Authorizer decides what the holder of a token may do. It is immutable and
// safe for concurrent use; a decision does not allocate.
type Authorizer struct {
	management bool
	fallback   level // where no rule fits
	general    [resources]level
	named      [resources]table
}

// New combines the rules of all the policies of a token. Where none fits, what
// is asked for is allowed if defaultAllow (default_policy = "allow"), except
// for ACL, and denied otherwise.
func New(defaultAllow bool, policies ...*Rules) *Authorizer {
	a := &Authorizer{fallback: deny}
	if defaultAllow {
		a.fallback = level(Write)
	}
	for _, policy := range policies {
		a.add(policy)
	}
	a.deriveIntentions()
	for resource := range a.named {
		a.named[resource].seal()
	}
	return a
}

// Management makes the Authorizer that allows everything, as the
// global-management policy does.
func Management() *Authorizer { return &Authorizer{management: true} }

func (a *Authorizer) add(policy *Rules) {
	for resource, l := range policy.general {
		a.general[resource] = max(a.general[resource], l)
	}
	for resource, rules := range policy.named {
		for _, r := range rules {
			a.named[resource].add(r)
		}
	}
}

// deriveIntentions gives a rule to the intentions of every service that has
// one, unless some policy says itself what holds for them.
func (a *Authorizer) deriveIntentions() {
	services, intentions := &a.named[Service], &a.named[Intention]
	derive := func(prefix bool, from, said map[string]level) {
		for name, l := range from {
			if said[name] == unset {
				intentions.add(rule{name: name, prefix: prefix, level: intentionLevel(l)})
			}
		}
	}
	derive(false, services.exact, intentions.exact)
	derive(true, services.prefixes, intentions.prefixes)
}

// intentionLevel is what a service's own level grants on its intentions.
func intentionLevel(service level) level {
	if service == deny {
		return deny
	}
	return level(Read)
}

// Allows reports whether the access to one thing of a resource is granted. The
// name is ignored for resources that have none. List is for Key alone. For
// Intention the name * asks for all destinations: it may be read by who may
// read any, and written by who may write every one.
func (a *Authorizer) Allows(access Access, resource Resource, name string) bool {
	switch {
	case a.management:
		return true
	case resource >= resources:
		return false
	case !resource.named():
		return a.generalLevel(resource).allows(access)
	case resource == Intention && name == "*":
		return a.allowsEveryDestination(access)
	default:
		return a.named[resource].lookup(name, a.fallback).allows(access)
	}
}

// generalLevel finds the level that holds for a resource without names.
func (a *Authorizer) generalLevel(resource Resource) level {
	switch l := a.general[resource]; {
	case l != unset:
		return l
	case resource == ACL:
		return deny
	case resource == Mesh, resource == Peering:
		return a.generalLevel(Operator)
	default:
		return a.fallback
	}
}

func (a *Authorizer) allowsEveryDestination(access Access) bool {
	intentions := &a.named[Intention]
	if access == Read {
		return intentions.allowsAny(access, a.fallback)
	}
	return intentions.allowsAll(access, "", a.fallback)
}

// AllowsAllBelow reports whether the access is granted on every key that
// starts with prefix, whether it exists or not: what removing a whole tree of
// keys asks for with Write. A rule for any name below that does not grant the
// access refuses it all, and so does a prefix that only an exact rule covers.
func (a *Authorizer) AllowsAllBelow(access Access, prefix string) bool {
	return a.management || a.named[Key].allowsAll(access, prefix, a.fallback)
}
