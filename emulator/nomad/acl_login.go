package nomad

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/identity"
	"github.com/drydock/drydock/emulator/nomad/login"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// required finds what is missing of what a request has to give, in pairs of a
// value and its name.
func required(pairs ...string) error {
	var problems *multierror.Error
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i] == "" {
			problems = multierror.Append(problems, errors.New("missing "+pairs[i+1]))
		}
	}
	return problems.ErrorOrNil()
}

// methodNamed finds the auth method that somebody logs in with.
func (r *request) methodNamed(name, kind string) (*state.ACLAuthMethod, error) {
	method := r.region.authority().store.View().ACLAuthMethod(name)
	switch {
	case method == nil:
		return nil, badRequest("auth-method %q not found", name)
	case method.Type != kind:
		return nil, badRequest("unsupported auth-method type: %s", method.Type)
	}
	return method, nil
}

// logIn makes a token for whoever shows one of another issuer.
func (r *request) logIn() (any, error) {
	var asked api.ACLLoginRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := required(asked.AuthMethodName, "auth method name", asked.LoginToken, "login token"); err != nil {
		return nil, badRequest("invalid login request: %v", err)
	}
	method, err := r.methodNamed(asked.AuthMethodName, api.ACLAuthMethodTypeJWT)
	if err != nil {
		return nil, err
	}
	claims, err := login.Verify(r.Context(), method.Config, asked.LoginToken)
	if err != nil {
		return nil, fail(http.StatusUnauthorized, "unable to validate provided token: %v", err)
	}
	return r.tokenFor(method, claims)
}

// beginLogin tells where somebody logs in with a browser.
func (r *request) beginLogin() (any, error) {
	var asked api.ACLOIDCAuthURLRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	err := required(asked.AuthMethodName, "auth method name", asked.ClientNonce, "client nonce", asked.RedirectURI, "redirect URI")
	if err != nil {
		return nil, badRequest("invalid OIDC auth-url request: %v", err)
	}
	method, err := r.methodNamed(asked.AuthMethodName, api.ACLAuthMethodTypeOIDC)
	if err != nil {
		return nil, err
	}
	url, err := r.region.logins.AuthURL(r.Context(), r.oidc(method), asked.RedirectURI, asked.ClientNonce)
	if err != nil {
		return nil, err
	}
	return api.ACLOIDCAuthURLResponse{AuthURL: url}, nil
}

// completeLogin makes a token for whoever has come back from there.
func (r *request) completeLogin() (any, error) {
	var asked api.ACLOIDCCompleteAuthRequest
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	err := required(asked.AuthMethodName, "auth method name", asked.ClientNonce, "client nonce", asked.State, "state",
		asked.Code, "code", asked.RedirectURI, "redirect URI")
	if err != nil {
		return nil, badRequest("invalid OIDC complete-auth request: %v", err)
	}
	method, err := r.methodNamed(asked.AuthMethodName, api.ACLAuthMethodTypeOIDC)
	if err != nil {
		return nil, err
	}
	claims, err := r.region.logins.Complete(r.Context(), r.oidc(method), asked.ClientNonce, asked.State, asked.Code)
	if err != nil {
		return nil, err
	}
	return r.tokenFor(method, claims)
}

// oidc is an auth method as package login has it.
func (r *request) oidc(method *state.ACLAuthMethod) *login.Method {
	m := &login.Method{Name: method.Name, Config: method.Config}
	if method.Config.OIDCClientAssertion != nil {
		m.Assert = func() (string, error) {
			key, err := r.region.keys.Active()
			if err != nil {
				return "", err
			}
			return login.Assertion(method.Config, key.Private(), key.ID())
		}
	}
	return m
}

// tokenFor makes the token of somebody of whom an issuer says the claims.
func (r *request) tokenFor(method *state.ACLAuthMethod, claims map[string]any) (any, error) {
	who, err := identity.Mappings{Texts: method.Config.ClaimMappings, Lists: method.Config.ListClaimMappings}.Read(claims)
	if err != nil {
		return nil, err
	}
	token := &state.ACLToken{
		AccessorID: uuid.NewString(), SecretID: uuid.NewString(), ExpirationTTL: method.MaxTokenTTL,
		Global: method.TokenLocality == api.ACLAuthMethodTokenLocalityGlobal,
	}
	if err := bind(r.region.authority().store.View(), method.Name, who, token); err != nil {
		return nil, err
	}
	named := who.With(map[string]string{"auth_method_type": method.Type, "auth_method_name": method.Name})
	if token.Name, err = named.Fill(method.TokenNameFormat); err != nil {
		return nil, fmt.Errorf("failed to generate ACL token name: %w", err)
	}
	if token.Global {
		r.region = r.region.authority()
	}
	return token, r.write(func(tx *state.Tx) error {
		token.CreateTime = tx.Now().UTC()
		end := token.CreateTime.Add(time.Duration(token.ExpirationTTL))
		token.ExpirationTime = &end
		if err := checkToken(token, nil); err != nil {
			return badRequest("token 0 invalid: %v", err)
		}
		tx.UpsertACLToken(token)
		return nil
	})
}
