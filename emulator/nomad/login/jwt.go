// Package login checks what people and machines show in order to get a Nomad
// token: JSON Web Tokens of another issuer, or the word of an OpenID provider
// where they have logged in with a browser. It tells the claims; who gets which
// token for them is decided by the emulated servers, which call it.
package login

import (
	"context"
	"crypto"
	"fmt"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/hashicorp/cap/jwt"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/identity"
)

// Verify checks a JSON Web Token as an auth method of the type JWT is configured,
// and reads its claims. Errors are in the words of Nomad.
func Verify(ctx context.Context, config *api.ACLAuthMethodConfig, token string) (map[string]any, error) {
	client, err := identity.Client(config.JWKSCACert + strings.Join(config.DiscoveryCaPem, "\n"))
	if err != nil {
		return nil, fmt.Errorf("unable to get validation keys from JWKS: %w", err)
	}
	defer client.CloseIdleConnections()
	ctx = oidc.ClientContext(ctx, client)
	keys, err := keysOf(ctx, config)
	if err != nil {
		return nil, err
	}
	validator, err := jwt.NewValidator(keys)
	if err != nil {
		return nil, fmt.Errorf("unable to create JWT validator: %w", err)
	}
	claims, err := validator.Validate(ctx, token, expected(config))
	if err != nil {
		return nil, fmt.Errorf("unable to verify signature of JWT token: %w", err)
	}
	if len(config.BoundIssuer) > 0 {
		issuer, _ := claims["iss"].(string)
		if !slices.Contains(config.BoundIssuer, issuer) {
			return nil, fmt.Errorf("invalid JWT issuer: %v", claims["iss"])
		}
	}
	return claims, nil
}

// keysOf are those that a token may be signed with.
func keysOf(ctx context.Context, config *api.ACLAuthMethodConfig) (jwt.KeySet, error) {
	switch {
	case len(config.JWTValidationPubKeys) > 0:
		var keys []crypto.PublicKey
		for _, text := range config.JWTValidationPubKeys {
			key, err := jwt.ParsePublicKeyPEM([]byte(text))
			if err != nil {
				return nil, fmt.Errorf("unable to parse public key for JWT auth: %w", err)
			}
			keys = append(keys, key)
		}
		return jwt.NewStaticKeySet(keys)
	case config.JWKSURL != "":
		keys, err := jwt.NewJSONWebKeySet(ctx, config.JWKSURL, "")
		if err != nil {
			return nil, fmt.Errorf("unable to get validation keys from JWKS: %w", err)
		}
		return keys, nil
	default:
		keys, err := jwt.NewOIDCDiscoveryKeySet(ctx, config.OIDCDiscoveryURL, "")
		if err != nil {
			return nil, fmt.Errorf("unable to get validation keys from OIDC provider: %w", err)
		}
		return keys, nil
	}
}

// expected is what a token has to say.
func expected(config *api.ACLAuthMethodConfig) jwt.Expected {
	e := jwt.Expected{
		Audiences: config.BoundAudiences, NotBeforeLeeway: config.NotBeforeLeeway,
		ExpirationLeeway: config.ExpirationLeeway, ClockSkewLeeway: config.ClockSkewLeeway,
	}
	for _, name := range config.SigningAlgs {
		e.SigningAlgorithms = append(e.SigningAlgorithms, jwt.Alg(name))
	}
	return e
}
