package consul

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// tokenRequest is a token as it is asked for.
type tokenRequest struct {
	state.Token
	ExpirationTTL state.Duration
}

// putToken creates a token, or changes the one that the path names.
func putToken(r *request) (any, error) {
	var asked tokenRequest
	if err := r.decodeKnown(&asked, "Token decoding failed"); err != nil {
		return nil, err
	}
	accessor := r.PathValue("accessor")
	if accessor != "" && asked.AccessorID != "" && asked.AccessorID != accessor {
		return nil, badRequest("Token Accessor ID in URL and payload do not match")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if accessor == "" {
		return r.createToken(asked)
	}
	asked.AccessorID = accessor
	return r.updateToken(asked)
}

func (r *request) createToken(asked tokenRequest) (any, error) {
	if asked.AuthMethod != "" {
		return nil, errText("AuthMethod field is disallowed outside of login")
	}
	home := r.dc.home(asked.Local)
	var stored *state.Token
	err := home.store.Write(func(tx *state.Tx) error {
		token := asked.Token
		if err := home.nameToken(&tx.View, &token); err != nil {
			return err
		}
		var err error
		token.CreateTime = tx.Now()
		if token.ExpirationTime, err = expiry(tx.Now(), asked); err != nil {
			return err
		}
		if err := grantToken(home.policies(&tx.View), &token); err != nil {
			return err
		}
		stored = tx.PutToken(token)
		return nil
	})
	return stored, err
}

// home is the datacenter that keeps a token that is made in this one.
func (d *datacenter) home(local bool) *datacenter {
	if local {
		return d
	}
	return d.consul.primary()
}

// nameToken gives a new token its accessor and secret, unless it has them: then
// they have to be free.
func (d *datacenter) nameToken(view *state.View, token *state.Token) error {
	for _, id := range []struct {
		name  string
		value *string
	}{{"AccessorID", &token.AccessorID}, {"SecretID", &token.SecretID}} {
		switch {
		case *id.value == "":
			*id.value = uuid.NewString()
		case !isUUID(*id.value):
			return errText("Invalid Token: %s - not a valid UUID", id.name)
		case d.directory(view).taken(*id.value):
			return errText("Invalid Token: %s is already in use", id.name)
		case reserved(*id.value):
			return errText("Invalid Token: %s - UUIDs with the prefix %q are reserved", id.name, reservedPrefix)
		}
	}
	return nil
}

const reservedPrefix = "00000000-0000-0000-0000-0000000000"

// reserved tells whether only Consul itself may use a UUID.
func reserved(id string) bool { return strings.HasPrefix(id, reservedPrefix) }

// shortestTTL is how long a token that expires lasts at least.
const shortestTTL = time.Minute

// expiry is when a new token expires; nil is never.
func expiry(now time.Time, asked tokenRequest) (*time.Time, error) {
	ttl, at := time.Duration(asked.ExpirationTTL), asked.ExpirationTime
	if at != nil && at.IsZero() {
		at = nil
	}
	switch {
	case ttl < 0:
		return nil, errText("Token Expiration TTL '%s' should be > 0", ttl)
	case ttl > 0 && at != nil:
		return nil, errText("Token Expiration TTL and Expiration Time cannot both be set")
	case ttl > 0:
		then := now.Add(ttl)
		at = &then
	case at == nil:
		return nil, nil
	}
	if left := at.Sub(now); left <= 0 {
		return nil, errText("ExpirationTime cannot be before CreateTime")
	} else if left < shortestTTL {
		return nil, errText("ExpirationTime cannot be less than %s in the future (was %s)", shortestTTL, left)
	}
	return at, nil
}

// grantToken checks and completes what a token grants.
func grantToken(policies *state.View, token *state.Token) (err error) {
	if token.Policies, err = resolveLinks(token.Policies, tokenPolicy(policies)); err != nil {
		return err
	}
	if token.Roles, err = resolveLinks(token.Roles, tokenRole(policies)); err != nil {
		return err
	}
	g := grants{token.ServiceIdentities, token.NodeIdentities, token.TemplatedPolicies}
	if g, err = g.check(ofToken, token.Local); err != nil {
		return err
	}
	token.ServiceIdentities, token.NodeIdentities, token.TemplatedPolicies = g.services, g.nodes, g.templated
	return nil
}

// cloneToken makes a token that grants what another does.
func cloneToken(r *request) (any, error) {
	var asked tokenRequest
	if err := r.decodeKnown(&asked, "Token decoding failed"); err != nil {
		return nil, err
	}
	accessor := r.PathValue("accessor")
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	if err := checkLookup("token", accessor); err != nil {
		return nil, err
	}
	old := r.dc.directory(r.dc.store.View()).token(accessor)
	if old == nil {
		return nil, errNoToken()
	}
	if old.AuthMethod != "" {
		return nil, errText("Cannot clone a token created from an auth method")
	}
	clone := tokenRequest{Token: *old}
	clone.AccessorID, clone.SecretID, clone.Description = "", "", asked.Description
	return r.createToken(clone)
}

func deleteToken(r *request) (any, error) {
	accessor := r.PathValue("accessor")
	if accessor == "" {
		return nil, badRequest("Missing token AccessorID")
	}
	if err := r.need(acl.Write, acl.ACL, ""); err != nil {
		return nil, err
	}
	switch {
	case !isUUID(accessor):
		return nil, errText("Accessor ID is missing or an invalid UUID")
	case accessor == acl.AnonymousAccessorID:
		return nil, errText("Delete operation not permitted on the anonymous token")
	case state.SameName(accessor, r.caller.accessor):
		return nil, errText("Deletion of the request's authorization token is not permitted")
	}
	found := r.dc.directory(r.dc.store.View()).token(accessor)
	if found == nil {
		return nil, notFound("Cannot find token to delete")
	}
	err := r.dc.home(found.Local).store.Write(func(tx *state.Tx) error {
		token := tx.Token(accessor)
		if token == nil {
			return notFound("Cannot find token to delete")
		}
		tx.Delete(state.TableTokens, token)
		return nil
	})
	return true, err
}
