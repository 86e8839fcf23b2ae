package nomad

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

var (
	errNoVariable = errors.New("variable doesn't exist")
	errNotLocked  = errors.New("variable doesn't hold a lock")
)

type lockOperation func(r *request, path string, given *givenVariable) (any, error)

// lockOperation is what the request wants of a variable's lock; nil is nothing.
func (r *request) lockOperation() (lockOperation, error) {
	var asked []lockOperation
	if r.has("lock-acquire") {
		asked = append(asked, (*request).acquireLock)
	}
	if r.has("lock-renew") {
		asked = append(asked, (*request).renewLock)
	}
	if r.has("lock-release") {
		asked = append(asked, (*request).releaseLock)
	}
	switch {
	case len(asked) == 0:
		return nil, nil
	case len(asked) > 1:
		return nil, badRequest("multiple lock operations")
	case r.has("cas"):
		return nil, badRequest("CAS can't be used with lock operations")
	}
	return asked[0], nil
}

// acquireLock takes the lock of a variable, which need not be there, and writes
// the items. Whoever holds it takes it anew.
func (r *request) acquireLock(path string, given *givenVariable) (any, error) {
	lock, err := given.Lock.complete()
	if err != nil {
		return nil, err
	}
	if lock.ID == "" {
		lock.ID = uuid.NewString()
	}
	answer, err := r.writeVariable(path, given, func(_ *state.Tx, old *state.Variable) (*api.VariableLock, error) {
		if old != nil {
			return lock, checkHolder(old, lock.ID)
		}
		return lock, nil
	})
	if err == nil {
		r.region.locks.renew(lock)
	}
	return answer, err
}

// renewLock has a lock held for longer. Nothing of the variable changes.
func (r *request) renewLock(path string, given *givenVariable) (any, error) {
	if given.Lock.id() == "" {
		return nil, multierror.Append(nil, errors.New("missing lock ID"))
	}
	v := r.region.store.View().Variable(given.Namespace, path)
	switch {
	case v == nil:
		return nil, notFound("%v", errNoVariable)
	case v.Lock == nil || r.region.locks.lost(v.Lock):
		return nil, fail(http.StatusConflict, "%v", errNotLocked)
	case v.Lock.ID != given.Lock.ID:
		return nil, fail(http.StatusConflict, "attempting to modify locked variable")
	}
	r.region.locks.renew(v.Lock)
	return variableStub{v.VariableMetadata}, nil
}

// releaseLock gives a lock back. Others may take it at once.
func (r *request) releaseLock(path string, given *givenVariable) (any, error) {
	switch {
	case len(given.Items) > 0:
		return nil, refuseVariable("lock release operation doesn't take variable items")
	case given.Lock == nil:
		return nil, refuseVariable("missing lock information")
	}
	var released variableStub
	return &released, r.write(func(tx *state.Tx) error {
		v := tx.Variable(given.Namespace, path)
		switch {
		case v == nil:
			return errNoVariable
		case v.Lock == nil:
			return errNotLocked
		}
		if err := checkHolder(v, given.Lock.ID); err != nil {
			return err
		}
		released.VariableMetadata = tx.ReleaseVariable(v).VariableMetadata
		return nil
	})
}
