package consul

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

// maximumPayload is how long an event's payload may be, in bytes.
const maximumPayload = 300

func eventRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/event/fire/{name...}", fireEvent),
		faithful(http.MethodGet, "/v1/event/list", listEvents),
	}
}

func fireEvent(r *request) (any, error) {
	e := event{
		ID:            uuid.NewString(),
		Name:          r.PathValue("name"),
		NodeFilter:    r.query.Get("node"),
		ServiceFilter: r.query.Get("service"),
		TagFilter:     r.query.Get("tag"),
		Version:       eventVersion,
	}
	if e.Name == "" {
		return nil, badRequest("Missing name")
	}
	if err := r.needBriefly(acl.Write, acl.Event, e.Name); err != nil {
		return nil, err
	}
	body, err := r.body()
	if err != nil {
		return nil, err
	}
	if len(body) > maximumPayload {
		return nil, fail(http.StatusRequestEntityTooLarge, "Event payload too large, received %d bytes, max size: %d bytes. "+
			"User events should be kept small for efficient gossip propagation.", len(body), maximumPayload)
	}
	if len(body) > 0 {
		e.Payload = body
	}
	to, err := e.receivers()
	if err != nil {
		return nil, err
	}
	r.dc.deliver(e, to)
	return e, nil
}

// receivers are the agents that an event is for.
type receivers struct {
	node, service, tag *regexp.Regexp // nil is any
}

func (e event) receivers() (to receivers, err error) {
	for _, filter := range []struct {
		name, text string
		into       **regexp.Regexp
	}{
		{"node", e.NodeFilter, &to.node},
		{"service", e.ServiceFilter, &to.service},
		{"tag", e.TagFilter, &to.tag},
	} {
		if filter.text == "" {
			continue
		}
		if *filter.into, err = regexp.Compile(filter.text); err != nil {
			return to, errText("Invalid %s filter: %v", filter.name, err)
		}
	}
	if to.tag != nil && to.service == nil {
		return to, errText("Cannot provide tag filter without service filter")
	}
	return to, nil
}

// deliver gives an event to the agents that it is for.
func (d *datacenter) deliver(e event, to receivers) {
	view := d.store.View()
	e.LTime = d.eventClock.Add(1)
	for _, a := range d.agents {
		if to.include(view, a.options.Node) {
			a.events.add(e)
		}
	}
}

func (to receivers) include(view *state.View, node string) bool {
	if to.node != nil && !to.node.MatchString(node) {
		return false
	}
	if to.service == nil {
		return true
	}
	for service := range store.All[state.Service](view, state.TableServices, "node", node) {
		if to.service.MatchString(service.Service) &&
			(to.tag == nil || slices.ContainsFunc(service.Tags, to.tag.MatchString)) {
			return true
		}
	}
	return false
}

// listEvents answers the events that the agent has got. It is a blocking query
// whose index is of the last of them, and is neither higher nor lower than others.
func listEvents(r *request) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	seen, wait, err := r.blocking()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	name := r.query.Get("name")
	for {
		all, changed := r.agent.events.list()
		list := slices.DeleteFunc(all, func(e event) bool {
			if !c.may.Allows(acl.Read, acl.Event, e.Name) {
				r.filtered()
				return true
			}
			return name != "" && e.Name != name
		})
		index := uint64(1)
		if len(list) > 0 {
			index = list[len(list)-1].index()
		}
		r.header.Set("X-Consul-Index", fmt.Sprint(index))
		if seen == 0 || index != seen {
			return list, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return list, nil
		}
	}
}
