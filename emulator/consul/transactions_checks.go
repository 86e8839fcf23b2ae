package consul

import (
	"fmt"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func checkOperation(op *api.CheckTxnOp) operation {
	given, err := remade[state.Check](op.Check)
	if given.CheckID == "" && (op.Verb == api.CheckSet || op.Verb == api.CheckCAS) {
		given.CheckID = given.Name
	}
	return entity{
		kind:  "check",
		name:  fmt.Sprintf("check %q on node %q", given.CheckID, given.Node),
		index: given.ModifyIndex,
		check: func(r *request) error {
			if err != nil {
				return err
			}
			if service := r.dc.store.View().Service(given.Node, given.ServiceID); service != nil {
				return r.need(acl.Write, acl.Service, service.Service)
			}
			return r.need(acl.Write, acl.Node, given.Node)
		},
		find: func(tx *state.Tx) (transactionResult, uint64, error) {
			if given.Node == "" || given.CheckID == "" {
				return transactionResult{}, 0, errText(
					"failed check lookup: index error: object is missing a value for this index")
			}
			check := tx.Check(given.Node, given.CheckID)
			if check == nil {
				return transactionResult{}, 0, nil
			}
			answer := *check
			answer.ServiceTags = nullWhenEmpty(answer.ServiceTags)
			return transactionResult{Check: &answer}, check.ModifyIndex, nil
		},
		put:    func(tx *state.Tx) error { return tx.PutCheck(given) },
		remove: func(tx *state.Tx) { tx.DeleteCheck(given.Node, given.CheckID) },
	}.operation(string(op.Verb))
}
