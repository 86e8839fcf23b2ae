package nomad

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func identityRoutes() []route {
	return []route{
		faithful(http.MethodGet, "/.well-known/jwks.json", (*request).publicKeys),
		faithful(http.MethodGet, "/.well-known/openid-configuration", (*request).discovery),
		faithful(http.MethodPut, "/v1/acl/identity/client-introduction-token", (*request).introduceClient),
	}
}

const keysPath = "/.well-known/jwks.json"

// publicKeys tells everybody what identities can be checked with.
func (r *request) publicKeys() (any, error) {
	if _, err := r.region.keys.Active(); err != nil {
		return nil, err
	}
	return r.block(func(view *state.View) (any, uint64, error) {
		keys, err := r.region.keys.Public(view)
		return map[string][]jose.JSONWebKey{"keys": keys}, tableIndex(view, state.TableRootKeys), err
	})
}

// discovery tells everybody where that is.
func (r *request) discovery() (any, error) {
	issuer := r.region.options.OIDCIssuer
	if issuer == "" {
		return nil, notFound("OIDC Discovery endpoint disabled")
	}
	return map[string]any{
		"issuer":                                issuer,
		"jwks_uri":                              strings.TrimSuffix(issuer, "/") + keysPath,
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"RS256", "EdDSA"},
	}, nil
}

// How long an introduction holds.
const (
	introductionTTL    = 5 * time.Minute
	maxIntroductionTTL = 30 * time.Minute
)

// introduceClient makes the token with which a new node may register.
func (r *request) introduceClient() (any, error) {
	var asked struct {
		TTL      state.TTL
		NodeName string
		NodePool string
	}
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if err := r.need(acl.Write, acl.Node); err != nil {
		return nil, err
	}
	if asked.NodePool == "" {
		asked.NodePool = api.NodePoolDefault
	}
	if asked.TTL == 0 {
		asked.TTL = state.TTL(introductionTTL)
	}
	key, err := r.region.keys.Active()
	if err != nil {
		return nil, err
	}
	subject := strings.Join([]string{"node-introduction", r.region.options.Name, asked.NodePool, asked.NodeName, defaultIdentity}, ":")
	claims := struct {
		keyring.Claims
		NodeName string `json:"nomad_node_name"`
	}{keyring.NewClaims(subject, nil, time.Now(), min(time.Duration(asked.TTL), maxIntroductionTTL)), asked.NodeName}
	claims.NodePool = asked.NodePool
	token, err := key.Sign(claims)
	return struct{ JWT string }{token}, err
}
