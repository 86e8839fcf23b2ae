package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// Issue is one act of issuing a certificate.
type Issue struct {
	Serial uint64    // never used before by this cluster
	Now    time.Time // the moment of issuing
}

// Root is a root certificate with its key, in the form in which the API lists
// roots. It is plain data and not changed once made.
type Root struct {
	ID                  string // SHA-1 of the certificate, in hexadecimal with colons
	Name                string
	SerialNumber        uint64 // the low 64 bits, if it has more
	SigningKeyID        string // in hexadecimal with colons
	ExternalTrustDomain string // id of the cluster
	NotBefore           time.Time
	NotAfter            time.Time
	RootCert            string   // PEM
	IntermediateCerts   []string // PEM; certificates of this root's key signed by the roots before it
	PrivateKeyType      string   // ec or rsa
	PrivateKeyBits      int

	PrivateKey string `json:"-"` // PEM; never shown to anybody
}

// NewRoot makes the root that a configuration asks for: the given one, or a new
// one for the given or a new private key. The serial number is used only for a
// new one.
func NewRoot(config Config, clusterID string, issue Issue) (*Root, error) {
	if config.RootCert != "" {
		return givenRoot(config, clusterID)
	}
	key, err := rootKey(config)
	if err != nil {
		return nil, fmt.Errorf("error generating CA root certificate: %w", err)
	}
	certificate, err := selfSign(key, clusterID, config.RootCertTTL, issue)
	if err != nil {
		return nil, fmt.Errorf("error generating CA root certificate: %w", err)
	}
	return describeRoot(certificate, key, clusterID)
}

func givenRoot(config Config, clusterID string) (*Root, error) {
	certificate, err := parseCertificate(config.RootCert)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(config.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("error parsing private key: %w", err)
	}
	return describeRoot(certificate, key, clusterID)
}

func rootKey(config Config) (crypto.Signer, error) {
	if config.PrivateKey == "" {
		return generateKey(config.PrivateKeyType, config.PrivateKeyBits)
	}
	key, err := parseKey(config.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("error generating CA: error parsing private key: %w", err)
	}
	return key, nil
}

func selfSign(key crypto.Signer, clusterID string, ttl time.Duration, issue Issue) (*x509.Certificate, error) {
	id, err := keyID(key.Public())
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetUint64(issue.Serial),
		Subject:               pkix.Name{CommonName: rootName(clusterID)},
		URIs:                  []*url.URL{{Scheme: "spiffe", Host: TrustDomain(clusterID)}},
		BasicConstraintsValid: true,
		IsCA:                  true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore:             issue.Now,
		NotAfter:              issue.Now.Add(ttl),
		SubjectKeyId:          id,
		AuthorityKeyId:        id,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// rootName is the common name of a new root: no two have the same one.
func rootName(clusterID string) string {
	const letters = "0123456789abcdefghijklmnopqrstuvwxyz"
	unique := make([]byte, 8)
	_, _ = rand.Read(unique) // never fails
	for i, b := range unique {
		unique[i] = letters[int(b)%len(letters)]
	}
	return fmt.Sprintf("pri-%s.consul.ca.%.8s.consul", unique, clusterID)
}

// describeRoot makes a Root of a certificate and its key.
func describeRoot(certificate *x509.Certificate, key crypto.Signer, clusterID string) (*Root, error) {
	public, known := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !known || !public.Equal(certificate.PublicKey) {
		return nil, errors.New("the private key is not that of the root certificate")
	}
	keyType, bits, err := describeKey(certificate.PublicKey)
	if err != nil {
		return nil, err
	}
	encoded, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	signingKeyID, err := subjectKeyID(certificate)
	if err != nil {
		return nil, err
	}
	id := sha1.Sum(certificate.Raw)
	return &Root{
		ID:                  colons(id[:]),
		Name:                "Consul CA Primary Cert",
		SerialNumber:        certificate.SerialNumber.Uint64(),
		SigningKeyID:        colons(signingKeyID),
		ExternalTrustDomain: clusterID,
		NotBefore:           certificate.NotBefore.UTC(),
		NotAfter:            certificate.NotAfter.UTC(),
		RootCert:            encodePEM("CERTIFICATE", certificate.Raw),
		PrivateKeyType:      keyType,
		PrivateKeyBits:      bits,
		PrivateKey:          encoded,
	}, nil
}

// subjectKeyID is the id that a certificate gives its key, or the usual one if
// it gives none.
func subjectKeyID(certificate *x509.Certificate) ([]byte, error) {
	if len(certificate.SubjectKeyId) > 0 {
		return certificate.SubjectKeyId, nil
	}
	return keyID(certificate.PublicKey)
}
