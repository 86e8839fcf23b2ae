package ca

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Leaf is a certificate of a service, in the form in
// which the API gives it out.
type Leaf struct {
	SerialNumber  string // in hexadecimal with colons
	CertPEM       string // the certificate, then those that lead to older roots
	PrivateKeyPEM string
	Service       string
	ServiceURI    string
	ValidAfter    time.Time
	ValidBefore   time.Time
}

// Leaf makes a certificate and its private key (EC P-256, as Consul's agents
// do whatever the root has) for an identity.
func (r *Root) Leaf(identity Identity, ttl time.Duration, issue Issue) (*Leaf, error) {
	uri := identity.URI()
	if _, err := ParseIdentity(uri); err != nil {
		return nil, err
	}
	key, err := generateKey("ec", 256)
	if err != nil {
		return nil, fmt.Errorf("issue leaf %s: %w", uri, err)
	}
	encoded, err := encodeKey(key)
	if err != nil {
		return nil, fmt.Errorf("issue leaf %s: %w", uri, err)
	}
	leaf, err := r.issue(identity, key.Public(), ttl, issue)
	if err != nil {
		return nil, fmt.Errorf("issue leaf %s: %w", uri, err)
	}
	leaf.PrivateKeyPEM = encoded
	return leaf, nil
}

// issue signs a leaf.
func (r *Root) issue(identity Identity, public crypto.PublicKey, ttl time.Duration, issue Issue) (*Leaf, error) {
	s, err := r.signer()
	if err != nil {
		return nil, err
	}
	id, err := keyID(public)
	if err != nil {
		return nil, err
	}
	uri := identity.URI()
	template := &x509.Certificate{
		SubjectKeyId:          id,
		URIs:                  []*url.URL{uri},
		BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	signed, err := s.sign(template, public, ttl, issue)
	if err != nil {
		return nil, err
	}
	return &Leaf{
		SerialNumber: colons(signed.SerialNumber.Bytes()),
		CertPEM:      encodePEM("CERTIFICATE", signed.Raw) + strings.Join(r.IntermediateCerts, ""),
		Service:      identity.Service,
		ServiceURI:   uri.String(),
		ValidAfter:   signed.NotBefore,
		ValidBefore:  signed.NotAfter,
	}, nil
}
