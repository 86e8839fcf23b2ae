package consul

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// execution is how a query is executed.
type execution struct {
	query   *state.Query
	connect bool
	limit   int // 0 is none
	// near is the node that the nearest instances come first of, in the place of
	// what the query says; empty leaves it to that.
	near func(*state.View) string
	sees sight
}

// prepared finds a query by its ID or name, and renders it when it is a
// template. One that is not there is an error with the status 404.
func (d *datacenter) prepared(idOrName string) (*state.Query, error) {
	view := d.store.View()
	if q := view.Query(idOrName); q != nil {
		if q.Template.Type != "" {
			return nil, errText("prepared query templates can only be resolved up by name, not by ID")
		}
		return q, nil
	}
	q := view.QueryNamed(idOrName)
	if q == nil {
		return nil, errQueryNotFound
	}
	return renderQuery(q, idOrName)
}

// execute finds the instances that a query is for: here or, when there are none,
// elsewhere. Agent is the node of the agent that was asked.
func (d *datacenter) execute(e execution, agent string) *queryAnswer {
	answer := &queryAnswer{Service: e.query.Service.Service, DNS: e.query.DNS}
	answer.Datacenter, answer.Nodes = d.name, d.executeHere(e, agent)
	for _, target := range d.failover(e.query.Service.Failover) {
		if len(answer.Nodes) > 0 {
			break
		}
		answer.Datacenter, answer.PeerName = target.Datacenter, target.Peer
		answer.Failovers++
		if other := d.consul.datacenter(target.Datacenter); other != nil {
			answer.Nodes = other.executeHere(e, agent)
		}
	}
	return answer
}

// failover are the other places that a query looks in, in their order.
func (d *datacenter) failover(f state.QueryFailover) []state.QueryTarget {
	var targets []state.QueryTarget
	nearest := map[string]bool{d.name: true} // not looked in again
	for _, other := range d.consul.datacenters {
		if other != d && len(targets) < f.NearestN {
			targets = append(targets, state.QueryTarget{Datacenter: other.name})
			nearest[other.name] = true
		}
	}
	known := func(name string) bool { return !nearest[name] && d.consul.datacenter(name) != nil }
	for _, name := range f.Datacenters {
		if known(name) {
			targets = append(targets, state.QueryTarget{Datacenter: name})
		}
	}
	for _, target := range f.Targets {
		if target.Peer != "" || known(target.Datacenter) {
			targets = append(targets, target)
		}
	}
	return targets
}

// executeHere finds the instances of this datacenter, the nearest first or else
// in random order, so that clients spread over them.
func (d *datacenter) executeHere(e execution, agent string) []*entry {
	view := d.store.View().Unwatched()
	service := &e.query.Service
	instances := instancesOf(view, service.Service)
	if e.connect || service.Connect {
		instances, _ = connectInstancesOf(view, service.Service)
	}
	found := []*entry{}
	for _, instance := range instances {
		if !fitsTags(instance.Tags, service.Tags) || !hasAll(instance.Meta, service.ServiceMeta) || !e.sees.instance(instance) {
			continue
		}
		row := newEntry(view, instance)
		if hasAll(row.Node.Meta, service.NodeMeta) && row.serves(service) {
			found = append(found, row)
		}
	}
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	if near := e.nearTo(view, agent); near != "" {
		sortByDistance(view, near, found, func(row *entry) string { return row.Node.Node })
	}
	if e.limit > 0 && len(found) > e.limit {
		found = found[:e.limit]
	}
	return found
}

// nearTo is the node that the nearest instances come first of; empty when any may.
func (e *execution) nearTo(view *state.View, agent string) string {
	if near := e.near(view); near != "" {
		return near
	}
	if near := e.query.Service.Near; near != "_agent" {
		return near
	}
	return agent
}

// fitsTags tells whether an instance has all wanted tags, and none of those
// that are wanted with an exclamation mark before them.
func fitsTags(tags, wanted []string) bool {
	for _, tag := range wanted {
		name, unwanted := strings.CutPrefix(tag, "!")
		if hasTag(tags, name) == unwanted {
			return false
		}
	}
	return true
}

// serves tells whether an instance is healthy enough for a query.
func (e *entry) serves(q *state.ServiceQuery) bool {
	return !slices.ContainsFunc(e.Checks, func(check *state.Check) bool {
		if slices.Contains(q.IgnoreCheckIDs, check.CheckID) {
			return false
		}
		return check.Status == api.HealthCritical || q.OnlyPassing && check.Status != api.HealthPassing
	})
}
