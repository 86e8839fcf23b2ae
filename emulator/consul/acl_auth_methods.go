package consul

import (
	"net/http"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/login"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func authMethodRoutes() []route {
	const lacks = "the type aws-iam"
	return []route{
		faithful(http.MethodGet, "/v1/acl/auth-methods", listAuthMethods),
		partial(http.MethodPut, "/v1/acl/auth-method", putAuthMethod, lacks),
		faithful(http.MethodGet, "/v1/acl/auth-method/{name...}", getAuthMethod),
		partial(http.MethodPut, "/v1/acl/auth-method/{name...}", putAuthMethod, lacks),
		faithful(http.MethodDelete, "/v1/acl/auth-method/{name...}", deleteAuthMethod),
	}
}

// authMethodEntry is an auth method as lists have it.
type authMethodEntry struct {
	MaxTokenTTL   api.ReadableDuration `json:",omitempty"`
	Name          string
	Type          string
	DisplayName   string `json:",omitempty"`
	Description   string `json:",omitempty"`
	TokenLocality string `json:",omitempty"`
	CreateIndex   uint64
	ModifyIndex   uint64
}

func listAuthMethods(r *request) (any, error) {
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*authMethodEntry{}
		for m := range store.All[state.AuthMethod](view, state.TableAuthMethods, "id") {
			list = append(list, &authMethodEntry{
				m.MaxTokenTTL, m.Name, m.Type, m.DisplayName, m.Description, m.TokenLocality, m.CreateIndex, m.ModifyIndex,
			})
		}
		return list, view.Index(state.TableAuthMethods), nil
	})
}

func getAuthMethod(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing auth method name")
	}
	if err := r.need(acl.Read, acl.ACL, ""); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		method := view.AuthMethod(name)
		if method == nil {
			return nil, view.Index(state.TableAuthMethods), notFound("Requested auth method does not exist: " + aclNotFound)
		}
		return method, method.ModifyIndex, nil
	})
}

// putAuthMethod creates an auth method, or changes the one of its name.
func putAuthMethod(r *request) (any, error) {
	var method state.AuthMethod
	if err := r.decodeKnown(&method, "AuthMethod decoding failed"); err != nil {
		return nil, err
	}
	if name := r.PathValue("name"); name != "" {
		if method.Name != "" && method.Name != name {
			return nil, badRequest("AuthMethod Name in URL and payload do not match")
		}
		method.Name = name
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := r.checkAuthMethod(r.dc.store.View(), &method); err != nil {
		return nil, err
	}
	var stored *state.AuthMethod
	err := r.write(func(tx *state.Tx) error {
		stored = tx.PutAuthMethod(method)
		return nil
	})
	return stored, err
}

func (r *request) checkAuthMethod(view *state.View, method *state.AuthMethod) error {
	switch {
	case method.Name == "":
		return errText("Invalid Auth Method: no Name is set")
	case !roleNames().MatchString(method.Name):
		return errText("Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed")
	}
	if old := view.AuthMethod(method.Name); old != nil {
		if method.Type == "" {
			method.Type = old.Type
		}
		if method.Type != old.Type {
			return errText("the Type field of an Auth Method is immutable")
		}
	}
	switch method.TokenLocality {
	case "", localToken, globalToken:
	default:
		return errText("Invalid Auth Method: TokenLocality should be one of 'local' or 'global'")
	}
	if ttl := time.Duration(method.MaxTokenTTL); ttl != 0 && ttl < shortestTTL {
		return errText("MaxTokenTTL %s cannot be less than %s", ttl, shortestTTL)
	}
	with, err := login.Parse(method.Type, method.Config)
	if err == nil {
		err = with.Probe(r.Context())
	}
	if err != nil {
		return errText("Invalid Auth Method: %v", err)
	}
	return nil
}

// Where the tokens that an auth method makes hold.
const (
	localToken  = "local"
	globalToken = "global"
)

func deleteAuthMethod(r *request) (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("Missing auth method name")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	err := r.write(func(tx *state.Tx) error {
		method := tx.AuthMethod(name)
		if method == nil {
			return notFound("Cannot find auth method to delete")
		}
		tx.DeleteAuthMethod(method)
		return nil
	})
	return true, err
}
