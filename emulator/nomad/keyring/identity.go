package keyring

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Audience is who the identities are for that Nomad itself takes.
const Audience = "nomadproject.io"

// Claims are what an identity says: of a workload, which has an allocation, or
// of a node.
type Claims struct {
	Issuer    string           `json:"iss,omitempty"`
	Subject   string           `json:"sub"`
	Audience  audience         `json:"aud"`
	ID        string           `json:"jti"`
	Expiry    *jwt.NumericDate `json:"exp,omitempty"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	IssuedAt  *jwt.NumericDate `json:"iat"`

	Namespace  string `json:"nomad_namespace,omitempty"`
	Job        string `json:"nomad_job_id,omitempty"`
	Allocation string `json:"nomad_allocation_id,omitempty"`
	Task       string `json:"nomad_task,omitempty"`
	Service    string `json:"nomad_service,omitempty"`

	Node           string `json:"nomad_node_id,omitempty"`
	NodePool       string `json:"nomad_node_pool,omitempty"`
	NodeDatacenter string `json:"nomad_node_datacenter,omitempty"`
	NodeClass      string `json:"nomad_node_class,omitempty"`
}

// audience is written as a text when it is one.
type audience []string

// MarshalJSON implements json.Marshaler.
func (a audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON reads a text or a list.
func (a *audience) UnmarshalJSON(text []byte) error {
	return (*jwt.Audience)(a).UnmarshalJSON(text)
}

// NewClaims are those that every identity has that is made now: who it is of,
// for whom, or for Nomad when that is nobody, and for how long; 0 is for ever.
func NewClaims(subject string, audience []string, now time.Time, ttl time.Duration) Claims {
	if len(audience) == 0 {
		audience = []string{Audience}
	}
	claims := Claims{
		Subject: subject, Audience: audience, ID: uuid.NewString(),
		NotBefore: jwt.NewNumericDate(now), IssuedAt: jwt.NewNumericDate(now),
	}
	if ttl > 0 {
		claims.Expiry = jwt.NewNumericDate(now.Add(ttl))
	}
	return claims
}

// Sign makes the token that says the claims.
func (k *Key) Sign(claims any) (string, error) {
	token, err := jwt.Signed(k.signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign an identity: %w", err)
	}
	return token, nil
}

// Verify reads the claims of a token that was signed with one of the keys, and
// holds now. The error says why it does not.
func (k *Keyring) Verify(token string, now time.Time) (*Claims, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return nil, fmt.Errorf("failed to parse signed token: %w", err)
	}
	if len(parsed.Headers) != 1 || parsed.Headers[0].KeyID == "" {
		return nil, errors.New("missing key ID header")
	}
	key, err := k.Key(parsed.Headers[0].KeyID)
	if err != nil {
		return nil, err
	}
	var claims Claims
	if err := parsed.Claims(&key.sign.PublicKey, &claims); err != nil {
		return nil, fmt.Errorf("invalid signature: %w", err)
	}
	times := jwt.Claims{Expiry: claims.Expiry, NotBefore: claims.NotBefore, IssuedAt: claims.IssuedAt}
	if err := times.Validate(jwt.Expected{Time: now}); err != nil {
		return nil, fmt.Errorf("invalid claims: %w", err)
	}
	return &claims, nil
}

// Public are the keys that identities can be checked with.
func (k *Keyring) Public(view *state.View) ([]jose.JSONWebKey, error) {
	keys := []jose.JSONWebKey{}
	for row := range view.RootKeys() {
		key, err := k.open(row)
		if err != nil {
			return nil, err
		}
		keys = append(keys, jose.JSONWebKey{Key: &key.sign.PublicKey, KeyID: key.id, Algorithm: string(jose.RS256), Use: "sig"})
	}
	return keys, nil
}
