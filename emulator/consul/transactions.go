package consul

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// maximumOperations is how many operations a transaction may have.
const maximumOperations = 128

func transactionRoutes() []route {
	return []route{
		faithful(http.MethodPut, "/v1/txn", runTransaction),
	}
}

// operation is one part of a transaction. None takes effect when any fails.
type operation struct {
	reads bool // it changes nothing
	// check says what is wrong with it, or not allowed, before anything is done.
	check func(*request) error
	do    func(*state.Tx) ([]transactionResult, error)
}

func runTransaction(r *request) (any, error) {
	body, err := r.bounded(maximumValue, "txn_max_req_len")
	if err != nil {
		return nil, err
	}
	given, err := decodeTransaction(body)
	if err != nil {
		return nil, badRequest("Failed to parse body: %v", err)
	}
	if len(given) > maximumOperations {
		return nil, fail(http.StatusRequestEntityTooLarge,
			"Transaction contains too many operations (%d > %d)", len(given), maximumOperations)
	}
	return r.transact(operationsOf(given, r.dc.name))
}

// transact answers a transaction, after its body has been read.
func (r *request) transact(operations []operation) (any, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if wrong := r.checkOperations(operations); wrong != nil {
		return transactionAnswer{Errors: wrong}.finish(onlyReads(operations), readAnswer{}), nil
	}
	answer, err := r.doOperations(operations)
	if err != nil {
		return nil, err
	}
	all := len(answer.Results)
	answer.Results = slices.DeleteFunc(answer.Results, func(result transactionResult) bool {
		return !result.readable(c.may)
	})
	return answer.finish(onlyReads(operations), readAnswer{
		Index:                 1, // it is no blocking query, and has no index of its own
		KnownLeader:           true,
		ResultsFilteredByACLs: len(answer.Results) < all,
	}), nil
}

// decodeTransaction reads a transaction, which may have no field that is not known.
func decodeTransaction(body []byte) (api.TxnOps, error) {
	var given api.TxnOps
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&given)
	return given, err
}

// operationsOf are what a transaction asks for in a datacenter; one that asks for nothing is left out.
func operationsOf(given api.TxnOps, datacenter string) []operation {
	operations := []operation{}
	for _, op := range given {
		switch {
		case op == nil:
		case op.KV != nil:
			operations = append(operations, keyOperation(op.KV))
		case op.Node != nil:
			operations = append(operations, nodeOperation(op.Node, datacenter))
		case op.Service != nil:
			operations = append(operations, serviceOperation(op.Service))
		case op.Check != nil:
			operations = append(operations, checkOperation(op.Check))
		}
	}
	return operations
}

func onlyReads(operations []operation) bool {
	return !slices.ContainsFunc(operations, func(op operation) bool { return !op.reads })
}

// checkOperations is what is wrong with the operations before anything is done.
func (r *request) checkOperations(operations []operation) []transactionError {
	var wrong []transactionError
	for i, op := range operations {
		if err := op.check(r); err != nil {
			wrong = append(wrong, transactionError{i, err.Error()})
		}
	}
	return wrong
}

// errAborted undoes a transaction whose answer says what has failed.
var errAborted = errors.New("the transaction is aborted")

// doOperations does all or, when any fails, none. All are tried, so that the
// answer has all errors.
func (r *request) doOperations(operations []operation) (transactionAnswer, error) {
	answer := transactionAnswer{Results: []transactionResult{}}
	err := r.write(func(tx *state.Tx) error {
		for i, op := range operations {
			results, err := op.do(tx)
			if err != nil {
				answer.Errors = append(answer.Errors, transactionError{i, err.Error()})
			}
			answer.Results = append(answer.Results, results...)
		}
		if answer.Errors != nil {
			answer.Results = nil
			return errAborted
		}
		return nil
	})
	if errors.Is(err, errAborted) {
		err = nil
	}
	return answer, err
}
