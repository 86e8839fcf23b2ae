package consul

import (
	"fmt"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func serviceOperation(op *api.ServiceTxnOp) operation {
	row, err := remade[state.Service](op.Service)
	given := registeredService{Service: row}
	return entity{
		kind:  "service",
		name:  fmt.Sprintf("service %q on node %q", given.ID, op.Node),
		index: given.ModifyIndex,
		check: func(r *request) error {
			if err != nil {
				return err
			}
			if err := given.complete(op.Node); err != nil {
				return err
			}
			if err := checkServiceMeta(&given.Service); err != nil {
				return err
			}
			return r.need(acl.Write, acl.Service, given.Service.Service)
		},
		find: func(tx *state.Tx) (transactionResult, uint64, error) {
			service := tx.Service(op.Node, given.ID)
			if service == nil {
				return transactionResult{}, 0, nil
			}
			answer := newInstanceAnswer(service)
			answer.Tags = nullWhenEmpty(answer.Tags)
			return transactionResult{Service: &answer}, service.ModifyIndex, nil
		},
		put:    func(tx *state.Tx) error { return tx.PutService(given.Service) },
		remove: func(tx *state.Tx) { tx.DeleteService(op.Node, given.ID) },
	}.operation(string(op.Verb))
}
