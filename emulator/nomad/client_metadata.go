package nomad

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// nodeMetadata tells the metadata of a node: what it was started with, what was
// set since, and both together.
func (r *request) nodeMetadata() (any, error) {
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	return metadataOf(r.region.store.View().Node(c.Node().ID)), nil
}

func metadataOf(n *state.Node) api.NodeMetaResponse {
	answer := api.NodeMetaResponse{Meta: n.Meta, Static: n.StaticMeta, Dynamic: n.DynamicMeta}
	if answer.Dynamic == nil {
		answer.Dynamic = map[string]*string{}
	}
	return answer
}

// setNodeMetadata sets some of a node's metadata; null takes a key away.
func (r *request) setNodeMetadata() (any, error) {
	if err := r.need(acl.Write, acl.Node); err != nil {
		return nil, err
	}
	var asked api.NodeMetaApplyRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.NodeID != "" {
		r.query.Set("node_id", asked.NodeID)
	}
	if len(asked.Meta) == 0 {
		return nil, badRequest("missing required Meta object")
	}
	for key := range asked.Meta {
		if key == "" {
			return nil, badRequest("metadata keys must not be empty")
		}
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	var answer api.NodeMetaResponse
	err = r.region.store.Write(func(tx *state.Tx) error {
		tx.UpdateNode(tx.Node(c.Node().ID), func(n *state.Node) {
			n.ApplyMeta(asked.Meta)
			n.ComputedClass = place.ComputedClass(n)
		})
		answer = metadataOf(tx.Node(c.Node().ID))
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.SetMeta(answer.Meta)
	return answer, nil
}
