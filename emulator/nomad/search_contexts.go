package nomad

import (
	"iter"
	"strings"

	"github.com/hashicorp/nomad/api"
	"github.com/hashicorp/nomad/api/contexts"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// thing is what a search finds.
type thing struct {
	id        string
	namespace string   // empty when it is in none
	name      string   // that is searched fuzzily; empty when only its ID is
	scope     []string // where it is, for those who find it by its name
}

// searchContext is one kind of things that can be searched for.
type searchContext struct {
	name  contexts.Context
	index string // that says how new the list is
	// may tells whether the caller may find them; in a namespace when they are in one.
	may  func(may *acl.Authorizer, namespace string) bool
	list func(view *state.View, prefix string) iter.Seq[thing] // nil when there are never any
	uuid bool                                                  // their IDs are UUIDs: what cannot begin one is not looked for
	// named says that a fuzzy search looks at names; else it looks at how IDs begin.
	named bool
	// sees tells whether the caller may find one of them; nil asks may.
	sees func(may *acl.Authorizer, found thing) bool
	// everywhere says that a prefix finds those of all namespaces.
	everywhere bool
}

// searchContexts are all kinds, in the order in which they are told.
func searchContexts() []searchContext {
	readsJobs := inNamespace(acl.ReadJob)
	csi := inNamespace(acl.CSIListVolume, acl.CSIReadVolume, acl.ListJobs, acl.ReadJob)
	return []searchContext{
		{name: contexts.Allocs, index: state.TableAllocations, may: readsJobs, list: allocationThings, uuid: true, named: true},
		{name: contexts.Jobs, index: state.TableJobs, may: inNamespace(acl.ListJobs, acl.ReadJob), list: jobThings, named: true},
		{name: contexts.Nodes, index: state.TableNodes, may: readsNodes, list: nodeThings, uuid: true, named: true},
		{name: contexts.NodePools, index: state.TableNodePools, may: readsNodes, list: poolThings, named: true},
		{name: contexts.Evals, index: state.TableEvaluations, may: readsJobs, list: evaluationThings, uuid: true},
		{name: contexts.Deployments, index: state.TableDeployments, may: readsJobs, list: deploymentThings, uuid: true},
		{name: contexts.Plugins, index: tableCSIPlugins, may: readsPlugins, named: true},
		{name: contexts.Volumes, index: tableCSIVolumes, may: csi},
		{name: contexts.ScalingPolicies, index: state.TableScalingPolicies, may: inNamespace(acl.ListScalingPolicies, acl.ReadJob), list: policyThings},
		{name: contexts.Variables, index: state.TableVariables, may: anybody, sees: seesVariable, list: variableThings,
			named: true, everywhere: true},
		{name: contexts.Namespaces, index: state.TableNamespaces, may: seesNamespaces, list: namespaceThings, named: true},
		{name: contexts.HostVolumes, index: state.TableHostVolumes, may: inNamespace(acl.HostVolumeRead), list: volumeThings},
	}
}

func inNamespace(capabilities ...acl.Capability) func(*acl.Authorizer, string) bool {
	return func(may *acl.Authorizer, namespace string) bool {
		return namespace == allNamespaces && may.AnyNamespace(capabilities...) || may.Namespace(namespace, capabilities...)
	}
}

func readsNodes(may *acl.Authorizer, _ string) bool { return may.Allows(acl.Read, acl.Node) }

func readsPlugins(may *acl.Authorizer, _ string) bool { return may.Allows(acl.List, acl.Plugin) }

func seesNamespaces(may *acl.Authorizer, _ string) bool { return may.AnyNamespace(acl.ListJobs) }

func anybody(*acl.Authorizer, string) bool { return true }

func seesVariable(may *acl.Authorizer, found thing) bool {
	return may.Variable(found.namespace, found.id, acl.ListVariable)
}

// things lists rows as things.
func things[Row any](rows iter.Seq[Row], of func(Row) thing) iter.Seq[thing] {
	return func(yield func(thing) bool) {
		for row := range rows {
			if !yield(of(row)) {
				return
			}
		}
	}
}

// beginning are the things whose ID begins with the prefix.
func beginning(prefix string, all iter.Seq[thing]) iter.Seq[thing] {
	return func(yield func(thing) bool) {
		for one := range all {
			if strings.HasPrefix(one.id, prefix) && !yield(one) {
				return
			}
		}
	}
}

func jobThings(view *state.View, prefix string) iter.Seq[thing] {
	return beginning(prefix, things(view.Jobs(), func(j *api.Job) thing {
		return thing{id: *j.ID, namespace: *j.Namespace, name: *j.Name, scope: []string{*j.Namespace, *j.ID}}
	}))
}

func evaluationThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.EvaluationsWithPrefix(prefix), func(e *api.Evaluation) thing { return thing{id: e.ID, namespace: e.Namespace} })
}

func allocationThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.AllocationsWithPrefix(prefix), func(a *state.Allocation) thing {
		return thing{id: a.ID, namespace: a.Namespace, name: a.Name, scope: []string{a.Namespace, a.ID}}
	})
}

func deploymentThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.DeploymentsWithPrefix(prefix), func(d *api.Deployment) thing { return thing{id: d.ID, namespace: d.Namespace} })
}

func nodeThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.NodesWithPrefix(prefix), func(n *state.Node) thing {
		return thing{id: n.ID, name: n.Name, scope: []string{n.ID}}
	})
}

func poolThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.NodePools(prefix), func(p *api.NodePool) thing {
		return thing{id: p.Name, name: p.Name, scope: []string{p.Name}}
	})
}

func namespaceThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.Namespaces(prefix), func(n *api.Namespace) thing { return thing{id: n.Name, name: n.Name} })
}

func policyThings(view *state.View, prefix string) iter.Seq[thing] {
	return beginning(prefix, things(view.ScalingPolicies(), func(p *api.ScalingPolicy) thing {
		return thing{id: p.ID, namespace: p.Target[jobs.TargetNamespace]}
	}))
}

func variableThings(view *state.View, prefix string) iter.Seq[thing] {
	return beginning(prefix, things(view.Variables(), func(v *state.Variable) thing {
		return thing{id: v.Path, namespace: v.Namespace, name: v.Path, scope: []string{v.Namespace, v.Path}}
	}))
}

func volumeThings(view *state.View, prefix string) iter.Seq[thing] {
	return things(view.HostVolumes(prefix), func(v *api.HostVolume) thing { return thing{id: v.ID, namespace: v.Namespace} })
}
