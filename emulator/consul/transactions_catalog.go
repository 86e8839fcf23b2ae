package consul

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/drydock/drydock/emulator/consul/state"
)

// The verbs of operations on the catalog.
const (
	verbGet       = "get"
	verbSet       = "set"
	verbCAS       = "cas"
	verbDelete    = "delete"
	verbDeleteCAS = "delete-cas"
)

// entity is a node, service instance or check that an operation is about.
type entity struct {
	kind  string // as errors have it
	name  string // as errors have it, with its kind
	index uint64 // that the verbs with CAS compare
	// check says what is wrong with an operation that changes it, or not allowed.
	check func(*request) error
	// find answers it as it is, with its index; 0 when it is not there.
	find   func(*state.Tx) (transactionResult, uint64, error)
	put    func(*state.Tx) error
	remove func(*state.Tx)
}

// operation is what a verb does with the entity.
func (e entity) operation(verb string) operation {
	return operation{
		reads: verb == verbGet,
		check: func(r *request) error {
			switch verb {
			case verbGet:
				return nil
			case verbSet, verbCAS, verbDelete, verbDeleteCAS:
				return e.check(r)
			default:
				return fmt.Errorf("unknown %s operation: %s", e.kind, verb)
			}
		},
		do: func(tx *state.Tx) ([]transactionResult, error) {
			found, index, err := e.find(tx)
			if err != nil {
				return nil, err
			}
			stale := index != e.index
			switch {
			case verb == verbGet && index == 0:
				return nil, fmt.Errorf("%s doesn't exist", e.name)
			case verb == verbGet:
				return []transactionResult{found}, nil
			case verb == verbCAS && stale:
				return nil, fmt.Errorf("failed to set %s, index is stale", e.name)
			case verb == verbDeleteCAS && stale:
				return nil, fmt.Errorf("failed to delete %s, index is stale", e.name)
			case verb == verbDelete || verb == verbDeleteCAS:
				e.remove(tx)
				return nil, nil
			default:
				return e.write(tx)
			}
		},
	}
}

// write puts the entity and answers what became of it.
func (e entity) write(tx *state.Tx) ([]transactionResult, error) {
	err := e.put(tx)
	var noNode *state.NoNodeError
	var noService *state.NoServiceError
	switch {
	case errors.As(err, &noNode):
		return nil, errText("Missing node registration")
	case errors.As(err, &noService):
		return nil, errText("Missing service registration")
	case err != nil:
		return nil, err
	}
	written, _, err := e.find(tx)
	return []transactionResult{written}, err
}

// remade makes a row of what the API's body has. Both are written the same in
// JSON, as far as the row goes.
func remade[T any](from any) (row T, err error) {
	body, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(body, &row)
	}
	return row, err
}

// nullWhenEmpty is how transactions answer lists that other answers have as [].
func nullWhenEmpty(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
