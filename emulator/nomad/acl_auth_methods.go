package nomad

import (
	"errors"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// defaultTokenName is how the tokens of an auth method are named that says nothing of it.
const defaultTokenName = "${auth_method_type}-${auth_method_name}"

// redacted stands for secrets that are not told.
const redacted = "redacted"

// authMethodStub is an auth method as everybody may see it, to log in.
type authMethodStub struct {
	Name        string
	Type        string
	Default     bool
	Hash        []byte
	CreateIndex uint64
	ModifyIndex uint64
}

func (r *request) authMethods() (any, error) {
	return r.block(func(view *state.View) (any, uint64, error) {
		list := []*authMethodStub{}
		for m := range view.ACLAuthMethods() {
			list = append(list, &authMethodStub{m.Name, m.Type, m.Default, m.Hash, m.CreateIndex, m.ModifyIndex})
		}
		return list, tableIndex(view, state.TableACLAuthMethods), nil
	})
}

func (r *request) authMethod() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("missing ACL auth-method name")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		method := view.ACLAuthMethod(name)
		if method == nil {
			return nil, tableIndex(view, state.TableACLAuthMethods), notFound("ACL auth-method not found")
		}
		return withoutSecrets(method), method.ModifyIndex, nil
	})
}

// withoutSecrets is an auth method as it is told.
func withoutSecrets(m *state.ACLAuthMethod) *state.ACLAuthMethod {
	own, config := *m, *m.Config
	if config.OIDCClientSecret != "" {
		config.OIDCClientSecret = redacted
	}
	if assertion := config.OIDCClientAssertion; assertion != nil && assertion.PrivateKey != nil && assertion.PrivateKey.PemKey != "" {
		key, told := *assertion.PrivateKey, *assertion
		key.PemKey, told.PrivateKey, config.OIDCClientAssertion = redacted, &key, &told
	}
	own.Config = &config
	return &own
}

// putAuthMethod creates an auth method, or changes the one of its name.
func (r *request) putAuthMethod() (any, error) {
	name, inPath := r.PathValue("name"), r.URL.Path != "/v1/acl/auth-method"
	if inPath && name == "" {
		return nil, badRequest("missing ACL auth-method name")
	}
	method := &state.ACLAuthMethod{}
	if err := r.decode(method); err != nil {
		return nil, err
	}
	if inPath && method.Name != name {
		return nil, badRequest("ACL auth-method name does not match request path")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	if c := method.Config; c != nil && c.OIDCClientAssertion != nil && checkAssertion(c) == nil {
		if _, err := r.oidc(method).Assert(); err != nil {
			return nil, badRequest("invalid OIDCClientAssertion: %v", err)
		}
	}
	err := r.write(func(tx *state.Tx) error {
		if old := tx.ACLAuthMethod(method.Name); old != nil {
			inherit(method, old)
		}
		if method.TokenNameFormat == "" {
			method.TokenNameFormat = defaultTokenName
		}
		if err := checkAuthMethod(method); err != nil {
			return badRequest("auth method 0 invalid: %v", err)
		}
		for other := range tx.ACLAuthMethods() {
			if method.Default && other.Default && other.Name != method.Name {
				return badRequest("default method already exists: %s", other.Name)
			}
		}
		tx.UpsertACLAuthMethod(method)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return withoutSecrets(method), nil
}

// inherit takes over from an auth method what is not given of its successor.
func inherit(method, old *state.ACLAuthMethod) {
	if method.Type == "" {
		method.Type = old.Type
	}
	if method.TokenLocality == "" {
		method.TokenLocality = old.TokenLocality
	}
	if method.TokenNameFormat == "" {
		method.TokenNameFormat = old.TokenNameFormat
	}
	if method.MaxTokenTTL == 0 {
		method.MaxTokenTTL = old.MaxTokenTTL
	}
	switch {
	case method.Config == nil:
		method.Config = old.Config
	case method.Config.OIDCClientSecret == redacted:
		method.Config.OIDCClientSecret = old.Config.OIDCClientSecret
	}
}

func (r *request) deleteAuthMethod() (any, error) {
	name := r.PathValue("name")
	if name == "" {
		return nil, badRequest("missing ACL auth-method name")
	}
	if err := r.needManagement(); err != nil {
		return nil, err
	}
	return nil, r.write(func(tx *state.Tx) error {
		method := tx.ACLAuthMethod(name)
		if method == nil {
			return errors.New("ACL auth method not found")
		}
		tx.DeleteACLAuthMethod(method)
		return nil
	})
}
