package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// errNoPEM says that a text which should be PEM is not.
var errNoPEM = errors.New("no PEM-encoded data found")

// curve finds the elliptic curve of a key length in bits.
func curve(bits int) (elliptic.Curve, bool) {
	switch bits {
	case 224:
		return elliptic.P224(), true
	case 256:
		return elliptic.P256(), true
	case 384:
		return elliptic.P384(), true
	case 521:
		return elliptic.P521(), true
	default:
		return nil, false
	}
}

// generateKey makes a private key of a type and length that Config names.
func generateKey(keyType string, bits int) (crypto.Signer, error) {
	switch keyType {
	case "rsa":
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, fmt.Errorf("error generating RSA private key: %w", err)
		}
		return key, nil
	case "ec":
		c, ok := curve(bits)
		if !ok {
			return nil, fmt.Errorf("error generating ECDSA private key: unknown curve length %d", bits)
		}
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("error generating ECDSA private key: %w", err)
		}
		return key, nil
	default:
		return nil, fmt.Errorf("unknown private key type requested: %s", keyType)
	}
}

// parseKey reads a PEM private key: SEC 1, PKCS #1 or PKCS #8.
func parseKey(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errNoPEM
	}
	switch block.Type {
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return nil, err
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("a %T cannot sign", key)
	default:
		return nil, fmt.Errorf("unknown PEM block type for signing key: %s", block.Type)
	}
}

// encodeKey writes a private key as PEM, in the form that Consul gives out.
func encodeKey(key crypto.Signer) (string, error) {
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		der, err := x509.MarshalECPrivateKey(key)
		return encodePEM("EC PRIVATE KEY", der), err
	case *rsa.PrivateKey:
		return encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), nil
	default:
		return "", fmt.Errorf("encode private key: unknown type %T", key)
	}
}

// describeKey names type and length of a public key as Config does.
func describeKey(key crypto.PublicKey) (keyType string, bits int, err error) {
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		return "ec", key.Curve.Params().BitSize, nil
	case *rsa.PublicKey:
		return "rsa", key.N.BitLen(), nil
	default:
		return "", 0, fmt.Errorf("private key type must be either 'ec' or 'rsa', not %T", key)
	}
}

// keyID is the id of a public key in certificates: the SHA-256 of its PKIX form.
func keyID(key crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	sum := sha256.Sum256(der)
	return sum[:], nil
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// parseCertificate reads the first certificate of a PEM text.
func parseCertificate(text string) (*x509.Certificate, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errNoPEM
	}
	if block.Type != "CERTIFICATE" {
		return nil, errors.New("first PEM-block should be CERTIFICATE type")
	}
	return x509.ParseCertificate(block.Bytes)
}

// colons writes bytes in hexadecimal with colons between them, as ids and
// serial numbers are shown.
func colons(b []byte) string {
	pairs := make([]string, len(b))
	for i := range b {
		pairs[i] = hex.EncodeToString(b[i : i+1])
	}
	return strings.Join(pairs, ":")
}
