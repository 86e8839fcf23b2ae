package consul

import (
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
)

func (r *request) updateToken(asked tokenRequest) (any, error) {
	if !isUUID(asked.AccessorID) {
		return nil, errText("AccessorID is not a valid UUID")
	}
	old := r.dc.directory(r.dc.store.View()).token(asked.AccessorID)
	if old == nil {
		return nil, errText("Cannot find token %q", asked.AccessorID)
	}
	home := r.dc.home(old.Local)
	var stored *state.Token
	err := home.store.Write(func(tx *state.Tx) error {
		old := tx.Token(asked.AccessorID)
		if old == nil {
			return errText("Cannot find token %q", asked.AccessorID)
		}
		if err := checkTokenChange(old, asked); err != nil {
			return err
		}
		token := asked.Token
		token.AccessorID, token.SecretID = old.AccessorID, old.SecretID
		token.AuthMethod, token.CreateTime, token.ExpirationTime = old.AuthMethod, old.CreateTime, old.ExpirationTime
		if err := grantToken(home.policies(&tx.View), &token); err != nil {
			return err
		}
		stored = tx.PutToken(token)
		return nil
	})
	return stored, err
}

// checkTokenChange is an error when what cannot be changed of a token would be.
func checkTokenChange(old *state.Token, asked tokenRequest) error {
	switch {
	case asked.SecretID != "" && asked.SecretID != old.SecretID:
		return errText("Changing a token's SecretID is not permitted")
	case asked.Local != old.Local:
		return errText("Cannot toggle local mode of %s", old.AccessorID)
	case asked.AuthMethod != "" && asked.AuthMethod != old.AuthMethod:
		return errText("Cannot change AuthMethod of %s", old.AccessorID)
	case asked.ExpirationTTL != 0, !sameExpiry(old.ExpirationTime, asked.ExpirationTime):
		return errText("Cannot change expiration time of %s", old.AccessorID)
	default:
		return nil
	}
}

// sameExpiry tells whether a change leaves a token's expiry as it is.
func sameExpiry(old, asked *time.Time) bool {
	return asked == nil || asked.IsZero() || old != nil && old.Equal(*asked)
}
