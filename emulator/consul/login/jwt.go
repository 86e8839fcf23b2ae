package login

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/identity"
)

// jwtMethod checks JSON Web Tokens.
type jwtMethod struct {
	config jwtConfig
	keys   keySource
}

// jwtConfig is the Config of an auth method of the type jwt.
type jwtConfig struct {
	JWTSupportedAlgs    []string
	BoundAudiences      []string
	BoundIssuer         string
	ClaimMappings       map[string]string // from the claim's name, or its JSON pointer, to the attribute's
	ListClaimMappings   map[string]string
	OIDCDiscoveryURL    string
	OIDCDiscoveryCACert string
	JWKSURL             string
	JWKSCACert          string
	// JWTValidationPubKeys are in PEM.
	JWTValidationPubKeys []string
	// The leeways default to some minutes; negative is none.
	ExpirationLeeway time.Duration
	NotBeforeLeeway  time.Duration
	ClockSkewLeeway  time.Duration
}

// keySource checks whether a token is signed with one of its keys.
type keySource interface {
	probe(ctx context.Context) error
	// claims are those of a token that is signed as it has to be.
	claims(ctx context.Context, token string) (map[string]any, error)
	// checksTime tells whether claims refuses tokens that are not valid now.
	checksTime() bool
}

func parseJWT(from map[string]any) (Method, error) {
	m := &jwtMethod{}
	if err := decode(from, &m.config); err != nil {
		return nil, err
	}
	if err := m.config.check(); err != nil {
		return nil, err
	}
	var err error
	switch c := m.config; {
	case len(c.JWTValidationPubKeys) > 0:
		m.keys, err = parseKeys(c.JWTValidationPubKeys)
	case c.JWKSURL != "":
		m.keys, err = newFetchedKeys(c)
	default:
		m.keys, err = newDiscoveredKeys(c)
	}
	return m, err
}

// algorithms are those that a token may be signed with.
func algorithms() []string {
	return []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"}
}

func (c jwtConfig) check() error {
	given := slices.DeleteFunc([]bool{len(c.JWTValidationPubKeys) > 0, c.JWKSURL != "", c.OIDCDiscoveryURL != ""},
		func(is bool) bool { return !is })
	if len(given) != 1 {
		return errors.New("exactly one of 'JWTValidationPubKeys', 'JWKSURL', or 'OIDCDiscoveryURL' must be set for type \"jwt\"")
	}
	for _, algorithm := range c.JWTSupportedAlgs {
		if !slices.Contains(algorithms(), algorithm) {
			return fault("Invalid supported algorithm: %s", algorithm)
		}
	}
	if err := checkMappings("ClaimMappings", c.ClaimMappings); err != nil {
		return err
	}
	return checkMappings("ListClaimMappings", c.ListClaimMappings)
}

func checkMappings(name string, mappings map[string]string) error {
	seen := map[string]bool{}
	for _, attribute := range mappings {
		if seen[attribute] {
			return fmt.Errorf("%s contains multiple mappings for key %q", name, attribute)
		}
		seen[attribute] = true
	}
	return nil
}

func (m *jwtMethod) Probe(ctx context.Context) error { return m.keys.probe(ctx) }

func (m *jwtMethod) Blank() *identity.Identity { return m.config.mappings().Blank() }

func (c jwtConfig) mappings() identity.Mappings {
	return identity.Mappings{Texts: c.ClaimMappings, Lists: c.ListClaimMappings}
}

func (m *jwtMethod) Verify(ctx context.Context, token string) (*identity.Identity, error) {
	if token == "" {
		return nil, errors.New("missing jwt")
	}
	claims, err := m.keys.claims(ctx, token)
	if err != nil {
		return nil, err
	}
	if err := m.config.checkClaims(claims, m.keys.checksTime(), time.Now()); err != nil {
		return nil, err
	}
	return m.config.mappings().Read(claims)
}
