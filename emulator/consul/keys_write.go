package consul

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// maximumValue is how long a value, and a transaction, may be, in bytes.
const maximumValue = 512 << 10

// putKey writes an entry: always, or with ?cas only at an index, or with
// ?acquire and ?release together with a session's lock of it. The answer is
// whether it has.
func putKey(r *request) (any, error) {
	entry := state.Key{Key: r.PathValue("key")}
	if entry.Key == "" {
		return nil, badRequest("Missing key name")
	}
	if err := r.exclusive("acquire", "cas", "release"); err != nil {
		return nil, err
	}
	var err error
	if entry.Flags, err = r.number("flags"); err != nil {
		return nil, err
	}
	if entry.Value, err = r.bounded(maximumValue, "kv_max_value_size"); err != nil {
		return nil, err
	}
	if strings.TrimSpace(entry.Key) != entry.Key {
		return nil, errors.New("invalid key name, leading/trailing spaces are not allowed")
	}
	if err := r.need(acl.Write, acl.Key, entry.Key); err != nil {
		return nil, err
	}
	switch {
	case r.has("acquire"):
		entry.Session = r.query.Get("acquire")
		return r.lockKey(entry, (*state.Tx).LockKey)
	case r.has("release"):
		entry.Session = r.query.Get("release")
		return r.lockKey(entry, (*state.Tx).UnlockKey)
	case r.has("cas"):
		return r.compareAndSet(entry)
	default:
		return true, r.write(func(tx *state.Tx) error {
			tx.SetKey(entry)
			return nil
		})
	}
}

func (r *request) compareAndSet(entry state.Key) (written bool, err error) {
	index, err := r.number("cas")
	if err != nil {
		return false, err
	}
	return written, r.write(func(tx *state.Tx) error {
		_, written = tx.CompareAndSetKey(entry, index)
		return nil
	})
}

// lockKey acquires or releases. A key that cannot be locked yet is answered
// like one that another session holds.
func (r *request) lockKey(entry state.Key,
	do func(*state.Tx, state.Key) (*state.Key, bool, error)) (done bool, err error) {
	err = r.write(func(tx *state.Tx) (err error) {
		_, done, err = do(tx, entry)
		return err
	})
	var delayed *state.LockDelayError
	var unknown *state.NoSessionError
	switch {
	case errors.As(err, &delayed):
		return false, nil
	case errors.As(err, &unknown):
		return false, fmt.Errorf("raft apply failed: %w", err)
	default:
		return done, err
	}
}

// deleteKey deletes an entry, with ?cas only at an index, or with ?recurse all
// below a prefix. The answer is whether they are gone.
func deleteKey(r *request) (any, error) {
	key := r.PathValue("key")
	if err := r.exclusive("cas", "recurse"); err != nil {
		return nil, err
	}
	if r.has("recurse") {
		return r.deleteKeys(key)
	}
	if key == "" {
		return nil, badRequest("Missing key name")
	}
	if err := r.need(acl.Write, acl.Key, key); err != nil {
		return nil, err
	}
	index, err := r.number("cas")
	if err != nil {
		return nil, err
	}
	gone := true
	err = r.write(func(tx *state.Tx) error {
		if r.has("cas") {
			gone = tx.CompareAndDeleteKey(key, index)
		} else {
			tx.DeleteKey(key)
		}
		return nil
	})
	return gone, err
}

func (r *request) deleteKeys(prefix string) (any, error) {
	if err := r.needAllBelow(acl.Write, prefix); err != nil {
		return nil, err
	}
	return true, r.write(func(tx *state.Tx) error {
		tx.DeleteKeys(prefix)
		return nil
	})
}

// exclusive is an error when the query has more than one of the parameters.
func (r *request) exclusive(parameters ...string) error {
	given := 0
	for _, name := range parameters {
		if r.has(name) {
			given++
		}
	}
	if given > 1 {
		return badRequest("Conflicting flags: %s", r.query.Encode())
	}
	return nil
}

// number reads a parameter; 0 when it is not given.
func (r *request) number(parameter string) (uint64, error) {
	if !r.has(parameter) {
		return 0, nil
	}
	return strconv.ParseUint(r.query.Get(parameter), 10, 64)
}

// bounded reads a body of at most limit bytes; the error names the setting
// that the limit is of. A longer one is read all the same, within the limits
// of the API, so that its sender gets to see the answer.
func (r *request) bounded(limit int64, setting string) ([]byte, error) {
	body, err := r.body()
	if size := max(int64(len(body)), r.ContentLength); size > limit {
		return nil, fail(http.StatusRequestEntityTooLarge, "Request body(%d bytes) too large, max size: %d bytes. "+
			"See https://developer.hashicorp.com/docs/agent/config/config-files#%s.", size, limit, setting)
	}
	return body, err
}
