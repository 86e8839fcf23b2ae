package consul

import (
	"fmt"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func nodeOperation(op *api.NodeTxnOp, datacenter string) operation {
	given := op.Node
	return entity{
		kind:  "node",
		name:  fmt.Sprintf("node %q", given.Node),
		index: given.ModifyIndex,
		check: func(r *request) error {
			if given.Node == "" {
				return errText("Must provide node")
			}
			if given.ID != "" {
				if err := checkUUID(given.ID); err != nil {
					return errText("Bad node ID: %v", err)
				}
			}
			return r.need(acl.Write, acl.Node, given.Node)
		},
		find: func(tx *state.Tx) (transactionResult, uint64, error) {
			node := tx.Node(given.Node)
			if given.ID != "" && op.Verb == api.NodeGet {
				node = tx.NodeWithID(given.ID)
			}
			if node == nil {
				return transactionResult{}, 0, nil
			}
			return transactionResult{Node: node}, node.ModifyIndex, nil
		},
		put: func(tx *state.Tx) error {
			node, err := remade[state.Node](given)
			if err != nil {
				return err
			}
			node.Datacenter = datacenter
			return tx.PutNode(node)
		},
		remove: func(tx *state.Tx) { tx.DeleteNode(given.Node) },
	}.operation(string(op.Verb))
}
