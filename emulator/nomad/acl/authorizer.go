package acl

// Authorizer answers what a caller may do. It is immutable, and may be used
// from any goroutine.
type Authorizer struct {
	management  bool
	namespaces  rules[set]
	variables   rules[rules[set]] // by namespace, then by path
	hostVolumes rules[set]
	nodePools   rules[set]
	operator    set
	resources   map[Resource]Access // the widest; absent is none
}

// Management is the Authorizer that allows everything.
func Management() *Authorizer { return &Authorizer{management: true} }

// New makes the Authorizer of somebody who holds all the policies: what any of
// them allows is allowed, unless another denies it.
func New(policies ...*Policy) *Authorizer {
	a := &Authorizer{
		namespaces: rules[set]{}, variables: rules[rules[set]]{}, hostVolumes: rules[set]{}, nodePools: rules[set]{},
		operator: set{}, resources: map[Resource]Access{},
	}
	denied := map[Resource]bool{}
	for _, p := range policies {
		a.addNamed(p)
		for resource, policy := range p.single() {
			if policy == policyDeny {
				denied[resource] = true
			}
			if Access(policy).widens(a.resources[resource]) {
				a.resources[resource] = Access(policy)
			}
		}
	}
	for resource := range denied {
		delete(a.resources, resource)
	}
	return a
}

func (a *Authorizer) addNamed(p *Policy) {
	for _, rule := range p.Namespaces {
		put(a.namespaces, rule.Name, rule.Capabilities)
		if rule.Variables == nil {
			continue
		}
		if a.variables[rule.Name] == nil {
			a.variables[rule.Name] = rules[set]{}
		}
		for _, path := range rule.Variables.Paths {
			put(a.variables[rule.Name], path.PathSpec, path.Capabilities)
		}
	}
	for _, rule := range p.HostVolumes {
		put(a.hostVolumes, rule.Name, rule.Capabilities)
	}
	for _, rule := range p.NodePools {
		put(a.nodePools, rule.Name, rule.Capabilities)
	}
	if p.Operator != nil {
		a.operator.add(p.Operator.Capabilities)
	}
}

func put(r rules[set], name string, capabilities []string) {
	if r[name] == nil {
		r[name] = set{}
	}
	r[name].add(capabilities)
}

// single are the policies of the resources that have one.
func (p *Policy) single() map[Resource]string {
	all := map[Resource]string{}
	if p.Node != nil {
		all[Node] = p.Node.Policy
	}
	if p.Agent != nil {
		all[Agent] = p.Agent.Policy
	}
	if p.Operator != nil {
		all[Operator] = p.Operator.Policy
	}
	if p.Quota != nil {
		all[Quota] = p.Quota.Policy
	}
	if p.Plugin != nil {
		all[Plugin] = p.Plugin.Policy
	}
	return all
}

// widens tells whether the access is more than another.
func (a Access) widens(other Access) bool {
	width := map[Access]int{List: 1, Read: 2, Write: 3}
	return width[a] > width[other]
}

// Namespace tells whether any of the capabilities is allowed in the namespace.
func (a *Authorizer) Namespace(namespace string, any ...Capability) bool {
	if a.management {
		return true
	}
	rule, _ := a.namespaces.find(namespace)
	return rule.any(any...)
}

// AnyNamespace tells whether any of the capabilities is allowed in any namespace.
func (a *Authorizer) AnyNamespace(any ...Capability) bool {
	if a.management {
		return true
	}
	for _, rule := range a.namespaces {
		if rule.any(any...) {
			return true
		}
	}
	return false
}

// SeesNamespace tells whether anything is allowed in the namespace.
func (a *Authorizer) SeesNamespace(namespace string) bool {
	if a.management {
		return true
	}
	rule, _ := a.namespaces.find(namespace)
	return len(rule) > 0 && !rule[deny]
}

// Variable tells whether the capability is allowed for the variable of that path.
func (a *Authorizer) Variable(namespace, path string, capability Capability) bool {
	if a.management {
		return true
	}
	paths, _ := a.variables.find(namespace)
	rule, _ := paths.find(path)
	return rule.any(capability)
}

// NodePool tells whether the capability is allowed for the node pool.
func (a *Authorizer) NodePool(name string, capability Capability) bool {
	if a.management {
		return true
	}
	rule, _ := a.nodePools.find(name)
	return rule.any(capability)
}

// HostVolume tells whether the capability is allowed for the host volume.
func (a *Authorizer) HostVolume(name string, capability Capability) bool {
	if a.management {
		return true
	}
	rule, _ := a.hostVolumes.find(name)
	return rule.any(capability)
}

// Operator tells whether the operator's capability is allowed.
func (a *Authorizer) Operator(capability Capability) bool {
	return a.management || a.operator.any(capability)
}

// Allows tells whether the access to the resource is allowed. Plugins may be
// listed by whoever may read them; write, for them, is nothing.
func (a *Authorizer) Allows(access Access, resource Resource) bool {
	if a.management {
		return true
	}
	has := a.resources[resource]
	if resource == Plugin && has == Write {
		return false
	}
	return has == access || has.widens(access)
}

// IsManagement tells whether everything is allowed.
func (a *Authorizer) IsManagement() bool { return a.management }
