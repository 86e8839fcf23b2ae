package consul

import (
	"cmp"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/hashicorp/consul/api"
)

// clockSkew is how far the clock of a JWT's issuer may be off, in seconds, unless said otherwise.
const clockSkew = 30

func prepareJWTProvider(e *api.JWTProviderConfigEntry) error {
	if e.JSONWebKeySet == nil {
		return errText("JSONWebKeySet is required")
	}
	if (e.JSONWebKeySet.Local == nil) == (e.JSONWebKeySet.Remote == nil) {
		return errors.New("must specify exactly one of Local or Remote JSON Web key set")
	}
	e.ClockSkewSeconds = cmp.Or(e.ClockSkewSeconds, clockSkew)
	return nil
}

func checkInlineCertificate(e *api.InlineCertificateConfigEntry) error {
	if block, _ := pem.Decode([]byte(e.PrivateKey)); block == nil {
		return errors.New("failed to parse private key PEM")
	}
	if block, _ := pem.Decode([]byte(e.Certificate)); block == nil {
		return errors.New("failed to parse certificate PEM")
	}
	if _, err := tls.X509KeyPair([]byte(e.Certificate), []byte(e.PrivateKey)); err != nil {
		return fmt.Errorf("certificate and private key do not belong together: %w", err)
	}
	return nil
}
