package nomad

import (
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// oneTimeTTL is for how long a one-time token can be exchanged.
const oneTimeTTL = 10 * time.Minute

// makeOneTimeToken makes what can be exchanged, once, for the token that the request shows.
func (r *request) makeOneTimeToken() (any, error) {
	if r.token == "" {
		return nil, fail(http.StatusInternalServerError, "acl token lookup failed: missing secret id")
	}
	if err := lookupID("acl token", r.token); err != nil {
		return nil, err
	}
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	if c.token == nil {
		return nil, errDenied
	}
	r.region = r.region.homeOfToken(c.token.AccessorID)
	once := &api.OneTimeToken{OneTimeSecretID: uuid.NewString(), AccessorID: c.token.AccessorID}
	err = r.write(func(tx *state.Tx) error {
		once.ExpiresAt = tx.Now().UTC().Add(oneTimeTTL)
		tx.UpsertOneTimeToken(once)
		return nil
	})
	return struct {
		Index        uint64
		OneTimeToken *api.OneTimeToken
	}{once.ModifyIndex, once}, err
}

// exchangeOneTimeToken gives the token for a one-time token, which is used up.
func (r *request) exchangeOneTimeToken() (any, error) {
	var body struct{ OneTimeSecretID string }
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if body.OneTimeSecretID == "" {
		return nil, fail(http.StatusInternalServerError, "one-time token lookup failed: missing secret")
	}
	if err := lookupID("one-time token", body.OneTimeSecretID); err != nil {
		return nil, err
	}
	if r.region.store.View().OneTimeToken(body.OneTimeSecretID) == nil {
		r.region = r.region.authority()
	}
	var answer struct {
		Index uint64
		Token *state.ACLToken
	}
	err := r.write(func(tx *state.Tx) error {
		once := tx.OneTimeToken(body.OneTimeSecretID)
		if once == nil || !once.ExpiresAt.After(tx.Now()) {
			return errDenied
		}
		if answer.Token = tx.ACLToken(once.AccessorID); answer.Token == nil {
			return fmt.Errorf("the token %s of a one-time token is gone", once.AccessorID)
		}
		answer.Index = tx.ChangeIndex()
		tx.DeleteOneTimeToken(once)
		return nil
	})
	return answer, err
}
