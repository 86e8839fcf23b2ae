package consul

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/login"
	"github.com/drydock/drydock/emulator/consul/state"
	"github.com/drydock/drydock/emulator/store"
)

func loginRoutes() []route {
	const enterprise = "Consul Enterprise alone has it"
	return []route{
		partial(http.MethodPost, "/v1/acl/login", logIn, "auth methods of the type kubernetes let nobody in"),
		faithful(http.MethodPost, "/v1/acl/logout", logOut),
		absent(http.MethodPost, "/v1/acl/oidc/auth-url", enterprise),
		absent(http.MethodPost, "/v1/acl/oidc/callback", enterprise),
	}
}

// loginRequest shows a credential to an auth method.
type loginRequest struct {
	AuthMethod  string
	BearerToken string
	Meta        map[string]string
}

// logIn makes a token for somebody whom an auth method knows.
func logIn(r *request) (any, error) {
	var asked loginRequest
	if err := r.decodeKnown(&asked, "Failed to decode request body"); err != nil {
		return nil, err
	}
	view := r.dc.store.View()
	method := view.AuthMethod(asked.AuthMethod)
	if method == nil {
		return nil, fail(http.StatusForbidden, "%s: auth method %q not found", aclNotFound, asked.AuthMethod)
	}
	with, err := login.Parse(method.Type, method.Config)
	if err != nil {
		return nil, fmt.Errorf("auth method %s: %w", method.Name, err)
	}
	identity, err := with.Verify(r.Context(), asked.BearerToken)
	if err != nil {
		return nil, err
	}
	rules := store.Collect[state.BindingRule](view, state.TableBindingRules, "method", method.Name)
	bound, err := bindingOf(r.dc.name, rules, identity)
	if err != nil {
		return nil, err
	}
	token, ok := bound.token(r.dc.policies(view))
	if !ok {
		return nil, errDenied
	}
	token.Description = "token created via login"
	if len(asked.Meta) > 0 {
		meta, err := json.Marshal(asked.Meta)
		if err != nil {
			return nil, fmt.Errorf("describe the token of a login: %w", err)
		}
		token.Description += ": " + string(meta)
	}
	return r.dc.storeLogin(method, token)
}

// storeLogin stores a token that an auth method has made.
func (d *datacenter) storeLogin(method *state.AuthMethod, token state.Token) (stored *state.Token, err error) {
	token.AccessorID, token.SecretID = uuid.NewString(), uuid.NewString()
	token.AuthMethod = method.Name
	token.Local = method.TokenLocality != globalToken
	err = d.home(token.Local).store.Write(func(tx *state.Tx) error {
		token.CreateTime = tx.Now()
		if ttl := time.Duration(method.MaxTokenTTL); ttl > 0 {
			end := tx.Now().Add(ttl)
			token.ExpirationTime = &end
		}
		stored = tx.PutToken(token)
		return nil
	})
	return stored, err
}

// logOut ends the token that the request shows, which has to be of a login.
func logOut(r *request) (any, error) {
	if r.token == "" {
		return nil, fail(http.StatusUnauthorized, "Supplied token does not exist")
	}
	if _, err := r.identify(); err != nil {
		return nil, err
	}
	token := r.dc.directory(r.dc.store.View()).tokenOf(r.token)
	if token == nil {
		return nil, fail(http.StatusForbidden, aclNotFound)
	}
	if token.AuthMethod == "" {
		return nil, fail(http.StatusForbidden, "Permission denied: token wasn't created via login")
	}
	err := r.dc.home(token.Local).store.Write(func(tx *state.Tx) error {
		if stored := tx.Token(token.AccessorID); stored != nil {
			tx.Delete(state.TableTokens, stored)
		}
		return nil
	})
	return true, err
}
