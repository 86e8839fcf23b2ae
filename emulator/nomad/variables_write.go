package nomad

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// putVariable writes a variable, or does one of the operations of its lock.
func (r *request) putVariable() (any, error) {
	path := r.PathValue("path")
	if path == "" {
		return nil, badRequest("missing variable path")
	}
	operation, err := r.lockOperation()
	if err != nil {
		return nil, err
	}
	var given givenVariable
	if err := r.decode(&given); err != nil {
		return nil, err
	}
	if given.Namespace == "" {
		given.Namespace = r.namespace()
	}
	swap, err := r.variableSwap()
	if err != nil {
		return nil, err
	}
	if operation == nil && len(given.Items) == 0 {
		return nil, badRequest("variable missing required Items object")
	}
	if err := checkPlace(given.Namespace, path); err != nil {
		return nil, err
	}
	if err := checkSize(given.Items); err != nil {
		return nil, err
	}
	if err := r.needVariable(given.Namespace, path, acl.WriteVariable); err != nil {
		return nil, err
	}
	if operation != nil {
		return operation(r, path, &given)
	}
	return r.setVariable(path, &given, swap)
}

// variableSwap is the index that the variable must have for the change: 0 for
// one that is not there, nil for any.
func (r *request) variableSwap() (*uint64, error) {
	text := r.query.Get("cas")
	if text == "" {
		return nil, nil
	}
	index, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, badRequest("can not parse cas: %v", err)
	}
	return &index, nil
}

// setVariable writes the items of a variable, whose lock nobody else holds.
func (r *request) setVariable(path string, given *givenVariable, swap *uint64) (any, error) {
	if given.Lock != nil && (given.Lock.TTL != 0 || given.Lock.LockDelay != 0) {
		return nil, refuseVariable("RPC Error:: %d,variable should not contain lock definition", http.StatusBadRequest)
	}
	return r.writeVariable(path, given, func(tx *state.Tx, old *state.Variable) (*api.VariableLock, error) {
		if err := r.checkSwap(old, given.Namespace, path, swap); err != nil {
			return nil, err
		}
		if old == nil {
			return nil, nil
		}
		return old.Lock, checkHolder(old, given.Lock.id())
	})
}

// writeVariable writes the items that are given, with the lock that the
// variable is to have, which may be an error.
func (r *request) writeVariable(path string, given *givenVariable, lock func(*state.Tx, *state.Variable) (*api.VariableLock, error)) (any, error) {
	key, err := r.region.keys.Active()
	if err != nil {
		return nil, err
	}
	next := &state.Variable{
		VariableMetadata: api.VariableMetadata{Namespace: given.Namespace, Path: path}, KeyID: key.ID(),
	}
	if next.Data, err = encryptItems(key, next, given.Items); err != nil {
		return nil, err
	}
	err = r.write(func(tx *state.Tx) error {
		var err error
		if next.Lock, err = lock(tx, tx.Variable(given.Namespace, path)); err != nil {
			return err
		}
		tx.UpsertVariable(next)
		return nil
	})
	return variableAnswer{next.VariableMetadata, given.Items}, err
}

func (r *request) deleteVariable() (any, error) {
	path, namespace := r.PathValue("path"), r.namespace()
	if path == "" {
		return nil, badRequest("missing variable path")
	}
	swap, err := r.variableSwap()
	if err != nil {
		return nil, err
	}
	if err := r.needVariable(namespace, path, acl.DestroyVariable); err != nil {
		return nil, err
	}
	return noContent, r.write(func(tx *state.Tx) error {
		old := tx.Variable(namespace, path)
		if err := r.checkSwap(old, namespace, path, swap); err != nil {
			return err
		}
		if old == nil {
			return nil
		}
		if err := checkHolder(old, ""); err != nil {
			return err
		}
		tx.DeleteVariable(old)
		return nil
	})
}

// noContent is the answer to what has nothing to say.
var noContent = streamed(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) })

// checkSwap is a conflict unless the variable has the index; it tells the
// variable as it is, with its items if the caller may read them.
func (r *request) checkSwap(now *state.Variable, namespace, path string, swap *uint64) error {
	switch {
	case swap == nil, now == nil && *swap == 0, now != nil && *swap == now.ModifyIndex:
		return nil
	case now == nil:
		return conflict(emptyVariable(namespace, path))
	}
	answer := variableAnswer{VariableMetadata: now.VariableMetadata}
	if r.needVariable(namespace, path, acl.ReadVariable) == nil {
		items, err := r.region.decrypt(now)
		if err != nil {
			return err
		}
		answer.Items = items
	}
	r.setIndex(now.ModifyIndex)
	return conflict(answer)
}

// checkHolder is a conflict when somebody else holds the variable's lock.
func checkHolder(v *state.Variable, lock string) error {
	if v.Lock == nil || v.Lock.ID == lock {
		return nil
	}
	return conflict(emptyVariable(v.Namespace, v.Path))
}

func emptyVariable(namespace, path string) variableAnswer {
	return variableAnswer{VariableMetadata: api.VariableMetadata{Namespace: namespace, Path: path}}
}

// conflict is the error that tells the variable which a change conflicts with.
func conflict(with variableAnswer) error {
	body, err := json.Marshal(with)
	if err != nil {
		return err
	}
	return fail(http.StatusConflict, "%s", body)
}
