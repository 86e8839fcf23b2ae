package nomad

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func keyringRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/v1/operator/keyring/keys", (*request).rootKeys),
		faithful(http.MethodPut, "/v1/operator/keyring/rotate", (*request).rotateKeys),
		faithful(http.MethodDelete, "/v1/operator/keyring/key/{id...}", (*request).deleteRootKey),
	}
}

func (r *request) rootKeys() (any, error) {
	if err := r.needOperator(acl.KeyringRead); err != nil {
		return nil, err
	}
	if _, err := r.region.keys.Active(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*api.RootKeyMeta{}
		for key := range view.RootKeys() {
			list = append(list, &key.RootKeyMeta)
		}
		return list, tableIndex(view, state.TableRootKeys), nil
	})
}

// rotateKeys makes a new key for what is new: now, or when others have had the
// time to fetch it. A full rotation has what is old encrypted with it too.
func (r *request) rotateKeys() (any, error) {
	full := r.flag("full")
	publish, err := r.publishTime()
	if err != nil {
		return nil, err
	}
	if err := r.needOperator(acl.KeyringRotate); err != nil {
		return nil, err
	}
	in := api.RootKeyStateActive
	if !publish.IsZero() {
		if in = api.RootKeyStatePrepublished; full {
			return nil, errors.New("keyring cannot be prepublished and full rotated at the same time")
		}
	}
	if _, err := r.region.keys.Active(); err != nil {
		return nil, err
	}
	row, key, err := r.region.keys.New(in, publish)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Index uint64
		Key   api.RootKeyMeta
	}{Key: row.RootKeyMeta}
	return &answer, r.write(func(tx *state.Tx) error {
		answer.Index = tx.ChangeIndex()
		tx.UpsertRootKey(row)
		if full {
			return r.region.reencrypt(tx, key)
		}
		return nil
	})
}

func (r *request) publishTime() (time.Time, error) {
	text := r.query.Get("publish_time")
	if text == "" {
		return time.Time{}, nil
	}
	at, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("invalid publish_time: %w", err)
	}
	return time.Unix(0, at), nil
}

// reencrypt has all variables encrypted with the key.
func (r *region) reencrypt(tx *state.Tx, with *keyring.Key) error {
	for _, variable := range slices.Collect(tx.Variables()) {
		items, err := r.decrypt(variable)
		if err != nil {
			return err
		}
		data, err := encryptItems(with, variable, items)
		if err != nil {
			return err
		}
		tx.ReencryptVariable(variable, with.ID(), data)
	}
	return nil
}

func (r *request) deleteRootKey() (any, error) {
	id := r.PathValue("id")
	if err := r.needOperator(acl.KeyringDelete); err != nil {
		return nil, err
	}
	if id == "" {
		return nil, errors.New("root key ID is required")
	}
	var answer struct{ Index uint64 }
	return &answer, r.write(func(tx *state.Tx) error {
		key := tx.RootKey(id)
		switch {
		case key == nil:
			return keyring.ErrNoKey
		case key.State == api.RootKeyStateActive:
			return errors.New("active root key cannot be deleted - call rotate first")
		case !r.flag("force") && keyInUse(tx, id):
			return errors.New("root key in use, cannot delete")
		}
		answer.Index = tx.ChangeIndex()
		tx.DeleteRootKey(key)
		return nil
	})
}

func keyInUse(tx *state.Tx, id string) bool {
	for range tx.VariablesWithKey(id) {
		return true
	}
	return false
}

// encryptItems encrypts the items of a variable.
func encryptItems(with *keyring.Key, v *state.Variable, items api.VariableItems) ([]byte, error) {
	text, err := json.Marshal(items)
	if err != nil {
		return nil, err
	}
	return with.Encrypt(text, v.Namespace+"/"+v.Path), nil
}

// decrypt reads the items of a variable.
func (r *region) decrypt(v *state.Variable) (api.VariableItems, error) {
	key, err := r.keys.Key(v.KeyID)
	if err != nil {
		return nil, fmt.Errorf("decrypt the variable %s: %w", v.Path, err)
	}
	text, err := key.Decrypt(v.Data, v.Namespace+"/"+v.Path)
	if err != nil {
		return nil, fmt.Errorf("decrypt the variable %s: %w", v.Path, err)
	}
	var items api.VariableItems
	return items, json.Unmarshal(text, &items)
}
