package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// backdated is how long before its issue a certificate is valid already, for
// clocks that disagree.
const backdated = time.Minute

// crossSignedFor is how long a new root is accepted through the old one.
const crossSignedFor = 7 * 24 * time.Hour

// signer is a root that is ready to sign.
type signer struct {
	certificate *x509.Certificate
	key         crypto.Signer
	keyID       []byte
}

func (r *Root) signer() (*signer, error) {
	certificate, err := parseCertificate(r.RootCert)
	if err != nil {
		return nil, fmt.Errorf("parse root certificate: %w", err)
	}
	key, err := parseKey(r.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("parse root key: %w", err)
	}
	id, err := subjectKeyID(certificate)
	return &signer{certificate: certificate, key: key, keyID: id}, err
}

// sign fills in what the root decides on and makes the certificate.
func (s *signer) sign(template *x509.Certificate, public crypto.PublicKey, ttl time.Duration, issue Issue) (*x509.Certificate, error) {
	template.SerialNumber = new(big.Int).SetUint64(issue.Serial)
	template.NotBefore = issue.Now.Add(-backdated)
	template.NotAfter = template.NotBefore.Add(ttl)
	template.AuthorityKeyId = s.keyID
	parent := *s.certificate
	parent.SubjectKeyId = s.keyID
	der, err := x509.CreateCertificate(rand.Reader, template, &parent, public, s.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// CrossSign returns next with one certificate more: its key signed by r, so
// that who knows only r trusts what next signs. Neither root is changed.
func (r *Root) CrossSign(next *Root, issue Issue) (*Root, error) {
	s, err := r.signer()
	if err != nil {
		return nil, fmt.Errorf("cross-sign root: %w", err)
	}
	template, err := parseCertificate(next.RootCert)
	if err != nil {
		return nil, fmt.Errorf("cross-sign root: %w", err)
	}
	template.SignatureAlgorithm = x509.UnknownSignatureAlgorithm // the old root's key decides
	signed, err := s.sign(template, template.PublicKey, crossSignedFor, issue)
	if err != nil {
		return nil, fmt.Errorf("cross-sign root: %w", err)
	}
	crossed := *next
	crossed.IntermediateCerts = append(slices.Clone(next.IntermediateCerts), encodePEM("CERTIFICATE", signed.Raw))
	return &crossed, nil
}
