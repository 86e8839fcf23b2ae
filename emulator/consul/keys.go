package consul

import (
	"net/http"
	"strings"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func keyRoutes() []route {
	return []route{
		{http.MethodGet, "/v1/kv/{key}", getKey, faithful, ""},
		{http.MethodPut, "/v1/kv/{key}", putKey, faithful, ""},
	}
}

func getKey(r *request) (any, error) {
	key := r.PathValue("key")
	if strings.TrimSpace(key) == "" {
		return nil, badRequest("Missing key name")
	}
	if err := r.need(acl.Read, acl.Key, key); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		entry := state.First[state.Key](view, state.TableKeys, "id", key)
		if entry == nil {
			return nil, view.Index(state.TableKeys), fail(http.StatusNotFound, "")
		}
		return []*state.Key{entry}, entry.ModifyIndex, nil
	})
}

func putKey(r *request) (any, error) {
	return nil, nil
}
