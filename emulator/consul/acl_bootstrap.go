package consul

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

func bootstrapRoutes() []route {
	return []route{
		partial(http.MethodPut, "/v1/acl/bootstrap", inPrimary(bootstrapACL), "a bootstrap cannot be reset"),
		faithful(http.MethodGet, "/v1/acl/replication", replicationStatus),
	}
}

// seedAccessControl makes the policies and tokens that are there from the
// start, in the primary datacenter, unless they are there already.
func (d *datacenter) seedAccessControl() error {
	options := d.consul.options.ACL
	if !options.Enabled {
		return nil
	}
	return d.store.Write(func(tx *state.Tx) error {
		for _, policy := range builtinPolicies() {
			if tx.Policy(policy.ID) == nil {
				tx.PutPolicy(policy)
			}
		}
		if secret := options.InitialManagement; secret != "" && tx.TokenOf(secret) == nil {
			tx.PutToken(managementToken(tx, secret, "Initial Management Token"))
			tx.MarkBootstrap()
		}
		if tx.Token(acl.AnonymousAccessorID) == nil {
			tx.PutToken(state.Token{
				AccessorID:  acl.AnonymousAccessorID,
				SecretID:    state.AnonymousSecretID,
				Description: "Anonymous Token",
				CreateTime:  tx.Now(),
			})
		}
		return nil
	})
}

func builtinPolicies() []state.Policy {
	return []state.Policy{
		{
			ID:          state.ManagementPolicyID,
			Name:        "global-management",
			Description: "A built-in policy that grants read and write access to all Consul features",
			Rules:       acl.GlobalManagementRules,
		},
		{
			ID:          state.ReadOnlyPolicyID,
			Name:        "builtin/global-read-only",
			Description: "A built-in policy that grants read-only access to all Consul features",
			Rules:       acl.GlobalReadOnlyRules,
		},
	}
}

// managementToken is one that may do everything.
func managementToken(tx *state.Tx, secret, description string) state.Token {
	return state.Token{
		AccessorID:  uuid.NewString(),
		SecretID:    secret,
		Description: description,
		Policies:    []state.Link{{ID: state.ManagementPolicyID, Name: tx.Policy(state.ManagementPolicyID).Name}},
		CreateTime:  tx.Now(),
	}
}

// bootstrapACL makes the first token that may do everything. It works once.
func bootstrapACL(r *request) (any, error) {
	var body struct{ BootstrapSecret string }
	if r.ContentLength != 0 {
		if err := r.decodeKnown(&body, "Request decoding failed"); err != nil {
			return nil, err
		}
	}
	var token *state.Token
	err := r.write(func(tx *state.Tx) error {
		if index := tx.BootstrapIndex(); index > 0 {
			return fail(http.StatusForbidden, "Permission denied: ACL bootstrap no longer allowed (reset index: %d)", index)
		}
		secret := body.BootstrapSecret
		if secret == "" {
			secret = uuid.NewString()
		}
		if err := checkBootstrapSecret(&tx.View, secret); err != nil {
			return err
		}
		token = tx.PutToken(managementToken(tx, secret, "Bootstrap Token (Global Management)"))
		tx.MarkBootstrap()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return struct {
		ID string
		*state.Token
	}{token.SecretID, token}, nil
}

func checkBootstrapSecret(view *state.View, secret string) error {
	const length = 36
	switch {
	case len(secret) != length:
		return errText("uuid string is wrong length")
	case !isUUID(secret):
		return errText("uuid is improperly formatted")
	case reserved(secret), view.TokenOf(secret) != nil, view.Token(secret) != nil:
		return errText("Provided token cannot be used because a token with that secret already exists.")
	default:
		return nil
	}
}

// replication is what is known of the copying of access control from the
// primary datacenter.
type replication struct {
	Enabled              bool
	Running              bool
	SourceDatacenter     string
	ReplicationType      string
	ReplicatedIndex      uint64
	ReplicatedRoleIndex  uint64
	ReplicatedTokenIndex uint64
	LastSuccess          string
	LastError            string
	LastErrorMessage     string
}

// replicationStatus tells that nothing is copied: all datacenters look into the primary one.
func replicationStatus(*request) (any, error) {
	const never = "0001-01-01T00:00:00Z"
	return replication{LastSuccess: never, LastError: never}, nil
}
