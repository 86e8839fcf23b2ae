package login

import (
	"crypto/rsa"
	"crypto/sha1" // the header x5t is defined by it
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"os"

	"github.com/hashicorp/cap/oidc/clientassertion"
	"github.com/hashicorp/nomad/api"
)

// Assertion makes the token by which a provider knows the client of an auth
// method that has an OIDCClientAssertion. Own is the key of the region and its ID.
func Assertion(config *api.ACLAuthMethodConfig, own *rsa.PrivateKey, ownID string) (string, error) {
	token, err := assertion(config, own, ownID)
	if err != nil {
		return "", fmt.Errorf("failed to build client_assertion jwt: %w", err)
	}
	return token, nil
}

func assertion(config *api.ACLAuthMethodConfig, own *rsa.PrivateKey, ownID string) (string, error) {
	a := config.OIDCClientAssertion
	audience := a.Audience
	if len(audience) == 0 {
		audience = []string{config.OIDCDiscoveryURL}
	}
	headers := maps.Clone(a.ExtraHeaders)
	if headers == nil {
		headers = map[string]string{}
	}
	options := []clientassertion.Option{clientassertion.WithHeaders(headers)}
	switch a.KeySource {
	case api.OIDCKeySourceClientSecret:
		algorithm := clientassertion.HSAlgorithm(a.KeyAlgorithm)
		if algorithm == "" {
			algorithm = clientassertion.HS256
		}
		token, err := clientassertion.NewJWTWithHMAC(config.OIDCClientID, audience, algorithm, config.OIDCClientSecret, options...)
		if err != nil {
			return "", err
		}
		return token.Serialize()
	case api.OIDCKeySourceNomad:
		options = append(options, clientassertion.WithKeyID(ownID))
	default:
		key, err := privateKey(a.PrivateKey)
		if err != nil {
			return "", err
		}
		own = key
		if a.PrivateKey.KeyID != "" {
			options = append(options, clientassertion.WithKeyID(a.PrivateKey.KeyID))
		} else if err := addThumbprint(headers, a.PrivateKey); err != nil {
			return "", err
		}
	}
	algorithm := clientassertion.RSAlgorithm(a.KeyAlgorithm)
	if algorithm == "" {
		algorithm = clientassertion.RS256
	}
	token, err := clientassertion.NewJWTWithRSAKey(config.OIDCClientID, audience, algorithm, own, options...)
	if err != nil {
		return "", err
	}
	return token.Serialize()
}

// privateKey reads the key that an operator has given, or named a file of.
func privateKey(from *api.OIDCClientAssertionKey) (*rsa.PrivateKey, error) {
	text, where := []byte(from.PemKey), "PemKey"
	if from.PemKeyFile != "" {
		var err error
		if text, err = os.ReadFile(from.PemKeyFile); err != nil {
			return nil, fmt.Errorf("error reading PemKeyFile: %w", err)
		}
		where = "PemKeyFile"
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("error parsing %s: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key", where)
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("error parsing %s: %w", where, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("error parsing %s: the key is not one of RSA but a %T", where, parsed)
	}
	return key, nil
}

// addThumbprint adds the header by which the provider finds the key's certificate.
func addThumbprint(headers map[string]string, key *api.OIDCClientAssertionKey) error {
	text := []byte(key.PemCert)
	if key.PemCertFile != "" {
		var err error
		if text, err = os.ReadFile(key.PemCertFile); err != nil {
			return fmt.Errorf("error reading PemCertFile: %w", err)
		}
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("error parsing PemCert: it is no certificate in PEM")
	}
	if key.KeyIDHeader == api.OIDCClientAssertionHeaderX5t {
		sum := sha1.Sum(block.Bytes)
		headers[string(api.OIDCClientAssertionHeaderX5t)] = base64.RawURLEncoding.EncodeToString(sum[:])
		return nil
	}
	sum := sha256.Sum256(block.Bytes)
	headers[string(api.OIDCClientAssertionHeaderX5tS256)] = base64.RawURLEncoding.EncodeToString(sum[:])
	return nil
}
