package acl

// Policy is what the rules of a policy say, in full: what is short in the rules
// is written out in the capabilities. Its JSON is that of Nomad.
type Policy struct {
	Agent        *AgentPolicy
	ExtraKeysHCL []string // always nil: rules with others than the known are refused
	HostVolumes  []*HostVolumePolicy
	Namespaces   []*NamespacePolicy
	Node         *NodePolicy
	NodePools    []*NodePoolPolicy
	Operator     *OperatorPolicy
	Plugin       *PluginPolicy
	Quota        *QuotaPolicy
	Raw          string // the rules as they were written
	Sentinel     *SentinelPolicy
}

// NamespacePolicy is a rule for the namespaces that its name, which may be a
// pattern, stands for.
type NamespacePolicy struct {
	Name         string `hcl:",key"`
	Policy       string
	Capabilities []string
	Variables    *VariablesPolicy `hcl:"variables"`
}

// VariablesPolicy has the rules for the variables of namespaces.
type VariablesPolicy struct {
	Paths []*VariablesPathPolicy `hcl:"path"`
}

// VariablesPathPolicy is a rule for the variables whose path fits.
type VariablesPathPolicy struct {
	PathSpec     string `hcl:",key"`
	Capabilities []string
}

// HostVolumePolicy is a rule for host volumes.
type HostVolumePolicy struct {
	Name         string `hcl:",key"`
	Policy       string
	Capabilities []string
}

// NodePoolPolicy is a rule for node pools.
type NodePoolPolicy struct {
	Name         string `hcl:",key"`
	Policy       string
	Capabilities []string
}

// AgentPolicy is the rule for agents.
type AgentPolicy struct{ Policy string }

// NodePolicy is the rule for nodes.
type NodePolicy struct{ Policy string }

// OperatorPolicy is the rule for operators.
type OperatorPolicy struct {
	Policy       string
	Capabilities []string
}

// QuotaPolicy is the rule for quotas.
type QuotaPolicy struct{ Policy string }

// PluginPolicy is the rule for CSI plugins.
type PluginPolicy struct{ Policy string }

// SentinelPolicy is the rule for Sentinel's policies.
type SentinelPolicy struct {
	Policy       string
	Capabilities []string
}

// empty tells whether the policy has no rule.
func (p *Policy) empty() bool {
	return len(p.Namespaces)+len(p.HostVolumes)+len(p.NodePools) == 0 && p.Agent == nil && p.Node == nil &&
		p.Operator == nil && p.Quota == nil && p.Plugin == nil && p.Sentinel == nil
}
