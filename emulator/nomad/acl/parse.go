package acl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/ast"
)

// document is the language of rules.
type document struct {
	Namespaces  []*NamespacePolicy  `hcl:"namespace,expand"`
	HostVolumes []*HostVolumePolicy `hcl:"host_volume,expand"`
	NodePools   []*NodePoolPolicy   `hcl:"node_pool,expand"`
	Agent       *AgentPolicy        `hcl:"agent"`
	Node        *NodePolicy         `hcl:"node"`
	Operator    *OperatorPolicy     `hcl:"operator"`
	Quota       *QuotaPolicy        `hcl:"quota"`
	Plugin      *PluginPolicy       `hcl:"plugin"`
	Sentinel    *SentinelPolicy     `hcl:"sentinel"`
}

// Parse reads rules, in HCL or JSON. No rules at all are a policy that allows
// nothing. Errors are of the type *Error.
func Parse(rules string) (*Policy, error) {
	p := &Policy{Raw: rules}
	if rules == "" {
		return p, nil
	}
	file, d, err := decode(rules)
	if err != nil {
		return nil, fault("Failed to parse ACL Policy: %v", err)
	}
	d.unname(file)
	p.Namespaces, p.HostVolumes, p.NodePools = d.Namespaces, d.HostVolumes, d.NodePools
	p.Agent, p.Node, p.Operator, p.Quota, p.Plugin, p.Sentinel = d.Agent, d.Node, d.Operator, d.Quota, d.Plugin, d.Sentinel
	if p.empty() {
		return nil, fault("Invalid policy: %s", rules)
	}
	if extra := extraKeys(file); len(extra) > 0 {
		return nil, fault("Invalid or duplicate policy keys: %s", strings.Join(extra, ", "))
	}
	if err := p.complete(); err != nil {
		return nil, err
	}
	return p, nil
}

// decode reads a document. The library that does it panics for some texts.
func decode(rules string) (file *ast.File, d document, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("invalid acl policy: %v", reason)
		}
	}()
	if file, err = hcl.Parse(rules); err == nil {
		err = hcl.DecodeObject(&d, file)
	}
	return file, d, err
}

// unname takes the name from rules that were written without one: the decoder
// takes the key of their policy for it.
func (d *document) unname(file *ast.File) {
	const taken = "policy"
	if unlabeled(file, "namespace") {
		for _, rule := range d.Namespaces {
			if rule.Name == taken {
				rule.Name = ""
			}
		}
	}
	if unlabeled(file, "host_volume") {
		for _, rule := range d.HostVolumes {
			if rule.Name == taken {
				rule.Name = ""
			}
		}
	}
	if unlabeled(file, "node_pool") {
		for _, rule := range d.NodePools {
			if rule.Name == taken {
				rule.Name = ""
			}
		}
	}
}

// unlabeled tells whether a rule of that kind has no name.
func unlabeled(file *ast.File, kind string) bool {
	list, ok := file.Node.(*ast.ObjectList)
	if !ok {
		return false
	}
	for _, item := range list.Items {
		rule, isRule := item.Val.(*ast.ObjectType)
		if !isRule || len(item.Keys) != 1 || keyText(item.Keys[0]) != kind {
			continue
		}
		for _, field := range rule.List.Items {
			if _, isText := field.Val.(*ast.LiteralType); isText {
				return true
			}
		}
	}
	return false
}

// extraKeys are those of a document that the language does not have, or has once.
func extraKeys(file *ast.File) []string {
	list, ok := file.Node.(*ast.ObjectList)
	if !ok {
		return nil
	}
	named := []string{"namespace", "host_volume", "node_pool"}
	single := []string{"agent", "node", "operator", "quota", "plugin", "sentinel"}
	var extra []string
	seen := map[string]bool{}
	for _, item := range list.Items {
		key, labels := keyText(item.Keys[0]), item.Keys[1:]
		switch {
		case slices.Contains(named, key):
			labels = labels[min(1, len(labels)):]
		case !slices.Contains(single, key) || seen[key]:
			extra = append(extra, key)
			continue
		}
		seen[key] = true
		for _, label := range labels {
			extra = append(extra, keyText(label))
		}
	}
	return extra
}

func keyText(key *ast.ObjectKey) string {
	text, ok := key.Token.Value().(string)
	if !ok {
		return key.Token.Text
	}
	return text
}
