package events

import (
	"encoding/json"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
	"github.com/drydock/drydock/emulator/store"
)

// Event is one thing that has changed.
type Event struct {
	Topic      api.Topic
	Type       string
	Key        string
	Namespace  string
	FilterKeys []string // by which it is found, too
	Index      uint64

	payload func() any
	once    sync.Once
	text    []byte
}

// JSON is the event as the stream has it. It is made once for all subscribers.
func (e *Event) JSON() []byte {
	e.once.Do(func() {
		e.text, _ = json.Marshal(struct { // of types that can be written as JSON
			Topic      api.Topic
			Type       string
			Key        string
			Namespace  string
			FilterKeys []string
			Index      uint64
			Payload    any
		}{e.Topic, e.Type, e.Key, e.Namespace, e.FilterKeys, e.Index, e.payload()})
	})
	return e.text
}

func eventsOf(c store.Commit) []*Event {
	var list []*Event
	for _, change := range c.Changes {
		e := eventOf(c.Cause, change)
		if e == nil {
			continue
		}
		e.Index = c.Index
		list = append(list, e)
	}
	return list
}

// eventOf makes the event of a change; nil when it is of no topic.
func eventOf(cause string, change store.Change) *Event {
	row, deleted := change.After, change.After == nil
	if deleted {
		row = change.Before
	}
	switch row := row.(type) {
	case *api.Job:
		if change.Table != state.TableJobs {
			return nil
		}
		return typed(cause, "JobRegistered", "JobDeregistered", deleted, jobEvent(row))
	case *api.Evaluation:
		return typed(cause, "EvaluationUpdated", "", deleted, evaluationEvent(row))
	case *state.Allocation:
		return typed(cause, "AllocationUpdated", "", deleted, allocationEvent(row))
	case *api.Deployment:
		return typed(cause, "DeploymentStatusUpdate", "", deleted, deploymentEvent(row))
	case *state.Node:
		return typed(cause, "NodeRegistration", "NodeDeregistration", deleted, nodeEvent(row))
	case *api.NodePool:
		return typed(cause, "NodePoolUpserted", "NodePoolDeleted", deleted, nodePoolEvent(row))
	case *api.HostVolume:
		return hostVolumeEvent(row, deleted)
	case *api.ServiceRegistration:
		return typed("", "ServiceRegistration", "ServiceDeregistration", deleted, serviceEvent(row))
	}
	return nil
}

// typed gives an event its type: what the writer says, or what it usually is.
// What has no type when it is deleted is no event then.
func typed(cause, written, removed string, deleted bool, e *Event) *Event {
	switch {
	case deleted && removed == "":
		return nil
	case deleted:
		e.Type = removed
	case cause != "":
		e.Type = cause
	default:
		e.Type = written
	}
	return e
}

func jobEvent(job *api.Job) *Event {
	return &Event{Topic: api.TopicJob, Key: *job.ID, Namespace: *job.Namespace, payload: func() any {
		return map[string]any{"Job": job}
	}}
}

func evaluationEvent(e *api.Evaluation) *Event {
	return &Event{
		Topic: api.TopicEvaluation, Key: e.ID, Namespace: e.Namespace, FilterKeys: present(e.JobID, e.DeploymentID),
		payload: func() any { return map[string]any{"Evaluation": e} },
	}
}

func allocationEvent(a *state.Allocation) *Event {
	return &Event{
		Topic: api.TopicAllocation, Key: a.ID, Namespace: a.Namespace, FilterKeys: present(a.JobID, a.DeploymentID),
		payload: func() any {
			lean := a.Allocation
			lean.Job = nil // which is an event of its own
			return map[string]any{"Allocation": &lean}
		},
	}
}

func deploymentEvent(d *api.Deployment) *Event {
	return &Event{
		Topic: api.TopicDeployment, Key: d.ID, Namespace: d.Namespace, FilterKeys: present(d.JobID),
		payload: func() any { return map[string]any{"Deployment": d} },
	}
}

func nodeEvent(n *state.Node) *Event {
	return &Event{Topic: api.TopicNode, Key: n.ID, payload: func() any {
		return map[string]any{"Node": struct {
			api.Node
			SecretID string // is nobody's business
		}{Node: n.Node}}
	}}
}

func nodePoolEvent(p *api.NodePool) *Event {
	return &Event{Topic: api.TopicNodePool, Key: p.Name, payload: func() any { return map[string]any{"NodePool": p} }}
}

// hostVolumeEvent is of the type of what has changed the volume: its node makes
// it ready. That it is deleted is told without its key.
func hostVolumeEvent(v *api.HostVolume, deleted bool) *Event {
	e := &Event{
		Topic: TopicHostVolume, Type: "HostVolumeRegistered", Key: v.ID, Namespace: v.Namespace,
		FilterKeys: []string{v.ID, v.Name, v.PluginID}, payload: func() any { return map[string]any{"Volume": v} },
	}
	switch {
	case deleted:
		e.Type, e.Key = "HostVolumeDeleted", ""
	case v.State != api.HostVolumeStatePending:
		e.Type = "NodeRegistration"
	}
	return e
}

func serviceEvent(s *api.ServiceRegistration) *Event {
	return &Event{
		Topic: api.TopicService, Key: s.ID, Namespace: s.Namespace, FilterKeys: present(s.JobID, s.ServiceName),
		payload: func() any { return map[string]any{"Service": s} },
	}
}

// present are the texts that are not empty.
func present(texts ...string) []string {
	var list []string
	for _, text := range texts {
		if text != "" {
			list = append(list, text)
		}
	}
	return list
}
