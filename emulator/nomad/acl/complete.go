package acl

import (
	"regexp"
	"slices"
	"sync"
)

// What a rule is short for.
const (
	policyDeny  = "deny"
	policyList  = "list"
	policyRead  = "read"
	policyWrite = "write"
	policyScale = "scale"
)

var (
	ruleNames     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-*]{1,128}$") })
	nodePoolNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[a-zA-Z0-9-_*]{1,128}$") })
)

// complete checks the rules and writes out what is short in them.
func (p *Policy) complete() error {
	for _, rule := range p.Namespaces {
		if err := rule.complete(); err != nil {
			return err
		}
	}
	for _, rule := range p.NodePools {
		if err := rule.complete(); err != nil {
			return err
		}
	}
	for _, rule := range p.HostVolumes {
		if err := rule.complete(); err != nil {
			return err
		}
	}
	return p.completeSingle()
}

func (p *Policy) completeSingle() error {
	coarse := []string{policyDeny, policyRead, policyWrite}
	if p.Agent != nil && !slices.Contains(coarse, p.Agent.Policy) {
		return fault("Invalid agent policy: %#v", p.Agent)
	}
	if p.Node != nil && !slices.Contains(coarse, p.Node.Policy) {
		return fault("Invalid node policy: %#v", p.Node)
	}
	if p.Operator != nil {
		if err := p.Operator.complete(); err != nil {
			return err
		}
	}
	if p.Sentinel != nil {
		if err := p.Sentinel.complete(); err != nil {
			return err
		}
	}
	if p.Quota != nil && !slices.Contains(coarse, p.Quota.Policy) {
		return fault("Invalid quota policy: %#v", p.Quota)
	}
	if p.Plugin != nil && !slices.Contains(append(coarse, policyList), p.Plugin.Policy) {
		return fault("Invalid plugin policy: %#v", p.Plugin)
	}
	return nil
}

func (r *NamespacePolicy) complete() error {
	if !ruleNames().MatchString(r.Name) {
		return fault("Invalid namespace name: %#v", r)
	}
	if r.Policy != "" && !slices.Contains([]string{policyDeny, policyRead, policyWrite, policyScale}, r.Policy) {
		return fault("Invalid namespace policy: %#v", r)
	}
	for _, capability := range r.Capabilities {
		if !slices.Contains(namespaceCapabilities(), Capability(capability)) {
			return fault("Invalid namespace capability '%s': %#v", capability, r)
		}
	}
	r.Capabilities = append(r.Capabilities, ofNamespacePolicy(r.Policy)...)
	r.Capabilities = append(r.Capabilities, impliedByVolumes(r.Capabilities)...)
	if r.Variables == nil {
		return nil
	}
	return r.Variables.complete(r.Name)
}

func (v *VariablesPolicy) complete(namespace string) error {
	if len(v.Paths) == 0 {
		return fault("Invalid variable policy: no variable paths in namespace %s", namespace)
	}
	known := []Capability{ReadVariable, ListVariable, WriteVariable, DestroyVariable, deny}
	for _, path := range v.Paths {
		if path.PathSpec == "" {
			return fault("Invalid missing variable path in namespace %s", namespace)
		}
		for _, capability := range path.Capabilities {
			if !slices.Contains(known, Capability(capability)) {
				return fault("Invalid variable capability '%s' in namespace %s", capability, namespace)
			}
		}
		switch {
		case slices.Contains(path.Capabilities, string(deny)):
			path.Capabilities = []string{string(deny)}
		case slices.Contains(path.Capabilities, string(ReadVariable)) && !slices.Contains(path.Capabilities, string(ListVariable)):
			path.Capabilities = append(path.Capabilities, string(ListVariable))
		}
	}
	return nil
}

func (r *HostVolumePolicy) complete() error {
	if !ruleNames().MatchString(r.Name) {
		return fault("Invalid host volume name: %#v", r)
	}
	short := map[string][]Capability{
		"": nil, policyDeny: {deny}, policyRead: {MountReadOnly}, policyWrite: {MountReadOnly, MountReadWrite},
	}
	implied, ok := short[r.Policy]
	if !ok {
		return fault("Invalid host volume policy: %#v", r)
	}
	for _, capability := range r.Capabilities {
		if !slices.Contains([]Capability{deny, MountReadOnly, MountReadWrite}, Capability(capability)) {
			return fault("Invalid host volume capability '%s': %#v", capability, r)
		}
	}
	r.Capabilities = append(r.Capabilities, texts(implied)...)
	return nil
}

func (r *NodePoolPolicy) complete() error {
	if !nodePoolNames().MatchString(r.Name) {
		return fault("Invalid node pool name '%s'", r.Name)
	}
	short := map[string][]Capability{
		"": nil, policyDeny: {deny}, policyRead: {ReadNodePool}, policyWrite: {DeleteNodePool, ReadNodePool, WriteNodePool},
	}
	implied, ok := short[r.Policy]
	if !ok {
		return fault("Invalid node pool policy '%s' for '%s'", r.Policy, r.Name)
	}
	for _, capability := range r.Capabilities {
		if !slices.Contains([]Capability{deny, DeleteNodePool, ReadNodePool, WriteNodePool}, Capability(capability)) {
			return fault("Invalid node pool capability '%s' for '%s'", capability, r.Name)
		}
	}
	r.Capabilities = append(r.Capabilities, texts(implied)...)
	return nil
}

func (r *OperatorPolicy) complete() error {
	all := []Capability{SnapshotSave, LicenseRead, KeyringRotate, KeyringRead, KeyringDelete}
	short := map[string][]Capability{
		"": nil, policyDeny: {deny}, policyRead: {LicenseRead, KeyringRead}, policyWrite: all,
	}
	implied, ok := short[r.Policy]
	if !ok {
		return fault("Invalid operator policy: %#v", r)
	}
	for _, capability := range r.Capabilities {
		if !slices.Contains(append(all, deny), Capability(capability)) {
			return fault("Invalid operator capability '%s'", capability)
		}
	}
	r.Capabilities = append(r.Capabilities, texts(implied)...)
	return nil
}

func (r *SentinelPolicy) complete() error {
	all := []Capability{"sentinel-read", "sentinel-submit", "sentinel-delete"}
	short := map[string][]Capability{"": nil, policyDeny: {deny}, policyRead: all[:1], policyWrite: all}
	implied, ok := short[r.Policy]
	if !ok {
		return fault("Invalid sentinel policy: %#v", r)
	}
	for _, capability := range r.Capabilities {
		if !slices.Contains(append(all, deny), Capability(capability)) {
			return fault("Invalid sentinel capability '%s'", capability)
		}
	}
	r.Capabilities = append(r.Capabilities, texts(implied)...)
	return nil
}

func texts(capabilities []Capability) []string {
	var list []string
	for _, c := range capabilities {
		list = append(list, string(c))
	}
	return list
}
