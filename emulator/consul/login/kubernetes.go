package login

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/drydock/drydock/emulator/identity"
)

// kubernetesMethod is the method of a Kubernetes cluster. It can be configured
// and have binding rules; nobody can log in with it.
type kubernetesMethod struct{}

func parseKubernetes(from map[string]any) (Method, error) {
	var config struct {
		Host              string
		CACert            string
		ServiceAccountJWT string
	}
	if err := decode(from, &config); err != nil {
		return nil, err
	}
	switch {
	case config.Host == "":
		return nil, fault("Config.Host is required")
	case config.CACert == "":
		return nil, fault("Config.CACert is required")
	case !isCertificate([]byte(config.CACert)):
		return nil, errors.New("error parsing kubernetes ca cert: data does not contain any valid RSA or ECDSA certificates")
	case config.ServiceAccountJWT == "":
		return nil, fault("Config.ServiceAccountJWT is required")
	}
	signed := []jose.SignatureAlgorithm{jose.HS256, jose.HS384, jose.HS512}
	for _, algorithm := range algorithms() {
		signed = append(signed, jose.SignatureAlgorithm(algorithm))
	}
	if _, err := jwt.ParseSigned(config.ServiceAccountJWT, signed); err != nil {
		return nil, fault("Config.ServiceAccountJWT is not a valid JWT: %v", err)
	}
	return kubernetesMethod{}, nil
}

func isCertificate(text []byte) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if _, err := x509.ParseCertificate(block.Bytes); err == nil {
			return true
		}
	}
	return false
}

func (kubernetesMethod) Probe(context.Context) error { return nil }

func (kubernetesMethod) Blank() *identity.Identity {
	return identity.New(map[string]map[string]string{
		"serviceaccount": {"name": "", "namespace": "", "uid": ""},
	}, nil, false)
}

func (kubernetesMethod) Verify(context.Context, string) (*identity.Identity, error) {
	return nil, errors.New("logging in with Kubernetes is not emulated")
}
