package nomad

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// checkAuthMethod finds everything that is wrong with an auth method.
func checkAuthMethod(m *state.ACLAuthMethod) error {
	var problems *multierror.Error
	if !aclNames().MatchString(m.Name) {
		problems = multierror.Append(problems, fmt.Errorf("invalid name '%s'", m.Name))
	}
	if m.TokenLocality != api.ACLAuthMethodTokenLocalityLocal && m.TokenLocality != api.ACLAuthMethodTokenLocalityGlobal {
		problems = multierror.Append(problems, fmt.Errorf("invalid token locality '%s'", m.TokenLocality))
	}
	if m.Type != api.ACLAuthMethodTypeOIDC && m.Type != api.ACLAuthMethodTypeJWT {
		problems = multierror.Append(problems, fmt.Errorf("invalid token type '%s'", m.Type))
	}
	if err := checkMethodConfig(m); err != nil {
		problems = multierror.Append(problems, fmt.Errorf("invalid config: %w", err))
	}
	if ttl := time.Duration(m.MaxTokenTTL); ttl < minTokenTTL || ttl > maxTokenTTL {
		problems = multierror.Append(problems,
			fmt.Errorf("invalid MaxTokenTTL value '%s' (should be between %s and %s)", ttl, minTokenTTL, maxTokenTTL))
	}
	return problems.ErrorOrNil()
}

func checkMethodConfig(m *state.ACLAuthMethod) error {
	c := m.Config
	switch {
	case c == nil:
		return errors.New("missing auth method Config")
	case m.Type == api.ACLAuthMethodTypeOIDC && c.OIDCDiscoveryURL == "":
		return errors.New("missing OIDCDiscoveryURL")
	case m.Type == api.ACLAuthMethodTypeOIDC && c.OIDCClientID == "":
		return errors.New("missing OIDCClientID")
	case m.Type == api.ACLAuthMethodTypeJWT && c.OIDCDiscoveryURL == "" && c.JWKSURL == "" && len(c.JWTValidationPubKeys) == 0:
		return errors.New("JWT auth method requires either OIDCDiscoveryURL, or JWKS URL, or JWTValidationPubKeys set")
	case c.OIDCClientAssertion == nil:
		return nil
	}
	if err := checkAssertion(c); err != nil {
		return fmt.Errorf("invalid client assertion config: %w", err)
	}
	return nil
}

// checkAssertion is an error unless the client can prove what it is with its own key.
func checkAssertion(c *api.ACLAuthMethodConfig) error {
	key := c.OIDCClientAssertion.PrivateKey
	switch source := c.OIDCClientAssertion.KeySource; {
	case source == api.OIDCKeySourceNomad:
		return nil
	case source == api.OIDCKeySourceClientSecret && c.OIDCClientSecret == "":
		return errors.New("OIDCClientSecret is required for `client_secret` KeySource")
	case source == api.OIDCKeySourceClientSecret:
		return nil
	case source != api.OIDCKeySourcePrivateKey:
		return fmt.Errorf("invalid KeySource %q", source)
	case key == nil:
		return errors.New("PrivateKey is required for `private_key` KeySource")
	case key.PemKey == "" && key.PemKeyFile == "":
		return errors.New("invalid PrivateKey: missing PemKey or PemKeyFile")
	}
	return nil
}
