package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
)

// Leaf is a certificate of a service, an agent or a gateway, in the form in
// which the API gives it out.
type Leaf struct {
	SerialNumber  string // in hexadecimal with colons
	CertPEM       string // the certificate, then those that lead to older roots
	PrivateKeyPEM string `json:",omitempty"` // empty if the caller has the key
	Service       string `json:",omitempty"`
	ServiceURI    string `json:",omitempty"`
	Agent         string `json:",omitempty"`
	AgentURI      string `json:",omitempty"`
	Kind          string `json:",omitempty"`
	KindURI       string `json:",omitempty"`
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
	leaf, err := r.issue(identity, &x509.Certificate{}, key.Public(), ttl, issue)
	if err != nil {
		return nil, fmt.Errorf("issue leaf %s: %w", uri, err)
	}
	leaf.PrivateKeyPEM = encoded
	return leaf, nil
}

// Sign makes the certificate that a PEM certificate request asks for. The
// request must be signed by its own key and name one SPIFFE id, of this root's
// trust domain; the DNS names and addresses that it has are kept.
func (r *Root) Sign(request string, ttl time.Duration, issue Issue) (*Leaf, error) {
	csr, err := parseRequest(request)
	if err != nil {
		return nil, fmt.Errorf("sign certificate request: %w", err)
	}
	identity, err := r.identify(csr)
	if err != nil {
		return nil, fmt.Errorf("sign certificate request: %w", err)
	}
	template := &x509.Certificate{DNSNames: csr.DNSNames, IPAddresses: csr.IPAddresses}
	leaf, err := r.issue(identity, template, csr.PublicKey, ttl, issue)
	if err != nil {
		return nil, fmt.Errorf("sign certificate request: %w", err)
	}
	return leaf, nil
}

func parseRequest(text string) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errNoPEM
	}
	if block.Type != "CERTIFICATE REQUEST" {
		return nil, fmt.Errorf("first PEM-block should be CERTIFICATE REQUEST type, not %s", block.Type)
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	return csr, csr.CheckSignature()
}

// identify finds whom a request is for.
func (r *Root) identify(csr *x509.CertificateRequest) (Identity, error) {
	if len(csr.URIs) != 1 {
		return Identity{}, fmt.Errorf("CSR SAN contains an invalid number of URIs: %d", len(csr.URIs))
	}
	identity, err := ParseIdentity(csr.URIs[0])
	if err != nil {
		return Identity{}, err
	}
	if domain := TrustDomain(r.ExternalTrustDomain); !strings.EqualFold(identity.TrustDomain, domain) {
		return Identity{}, fmt.Errorf("CSR is of the trust domain %q, not %q", identity.TrustDomain, domain)
	}
	return identity, nil
}

// issue signs a leaf. The template has the names beside the SPIFFE id.
func (r *Root) issue(identity Identity, template *x509.Certificate, public crypto.PublicKey, ttl time.Duration, issue Issue) (*Leaf, error) {
	s, err := r.signer()
	if err != nil {
		return nil, err
	}
	template.SubjectKeyId, err = keyID(public)
	if err != nil {
		return nil, err
	}
	uri := identity.URI()
	template.URIs = append(template.URIs, uri)
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment |
		x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	signed, err := s.sign(template, public, ttl, issue)
	if err != nil {
		return nil, err
	}
	leaf := &Leaf{
		SerialNumber: colons(signed.SerialNumber.Bytes()),
		CertPEM:      encodePEM("CERTIFICATE", signed.Raw) + strings.Join(r.IntermediateCerts, ""),
		ValidAfter:   signed.NotBefore,
		ValidBefore:  signed.NotAfter,
	}
	leaf.name(identity)
	return leaf, nil
}

func (l *Leaf) name(identity Identity) {
	uri := identity.URI().String()
	switch {
	case identity.Kind != "":
		l.Kind, l.KindURI = identity.Kind, uri
	case identity.Agent != "":
		l.Agent, l.AgentURI = identity.Agent, uri
	default:
		l.Service, l.ServiceURI = identity.Service, uri
	}
}
