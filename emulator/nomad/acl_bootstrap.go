package nomad

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/logs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// bootstrapACL makes the first token that may do everything. It works once, and
// again when the operator has written the index of that into a file.
func (r *request) bootstrapACL() (any, error) {
	var body struct{ BootstrapSecret string }
	if r.ContentLength != 0 {
		if err := r.decode(&body); err != nil {
			return nil, badRequest("failed to decode request body: %v", err)
		}
	}
	r.region = r.region.authority()
	secret := body.BootstrapSecret
	if secret == "" {
		secret = uuid.NewString()
	}
	if !isUUID(secret) {
		return nil, badRequest("invalid acl token")
	}
	token := &state.ACLToken{
		AccessorID: uuid.NewString(), SecretID: secret, Name: "Bootstrap Token", Type: state.ACLManagementToken, Global: true,
	}
	err := r.write(func(tx *state.Tx) error {
		if done := tx.ACLBootstrapIndex(); done > 0 {
			if err := r.region.resetBootstrap(done); err != nil {
				return err
			}
		}
		if tx.ACLTokenOf(secret) != nil {
			return badRequest("invalid acl token")
		}
		token.CreateTime = tx.Now().UTC()
		tx.UpsertACLToken(token)
		tx.MarkACLBootstrap()
		return nil
	})
	return token, err
}

// resetFile is where an operator writes the index of the bootstrap that is to be done again.
func (r *region) resetFile() string { return filepath.Join(r.dir, "server", "acl-bootstrap-reset") }

// resetBootstrap is an error unless an operator allows another bootstrap after
// the one with the index; what allowed it is used up.
func (r *region) resetBootstrap(done uint64) error {
	text, err := os.ReadFile(r.resetFile())
	if errors.Is(err, os.ErrNotExist) {
		return badRequest("ACL bootstrap already done (reset index: %d)", done)
	}
	var allowed uint64
	if err == nil {
		allowed, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	}
	if err != nil {
		r.nomad.log.Error("failed to parse bootstrap file", logs.Module("nomad.acl"), "path", r.resetFile(), "error", err)
	}
	switch allowed {
	case 0:
		return badRequest("ACL bootstrap already done (reset index: %d)", done)
	case done:
		return os.Remove(r.resetFile())
	default:
		return badRequest("Invalid bootstrap reset index (specified %d, reset index: %d)", allowed, done)
	}
}

// isUUID tells whether a text has the form of a UUID.
func isUUID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }
