package ca

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const cluster = "e33f393f-106c-d4f1-53d8-98d69a6e525a"

// noon is when everything is issued in tests.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func newRoot(t *testing.T, config Config, serial uint64) *Root {
	t.Helper()
	root, err := NewRoot(config, cluster, Issue{Serial: serial, Now: noon})
	require.NoError(t, err)
	return root
}

func certificate(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	parsed, err := parseCertificate(text)
	require.NoError(t, err)
	return parsed
}

func TestNewRootIsShownAsByConsul(t *testing.T) {
	t.Parallel()
	root := newRoot(t, DefaultConfig(), 12)
	parsed := certificate(t, root.RootCert)

	sum := sha1.Sum(parsed.Raw)
	assert.Equal(t, colons(sum[:]), root.ID)
	assert.Equal(t, "Consul CA Primary Cert", root.Name)
	assert.EqualValues(t, 12, root.SerialNumber)
	assert.Len(t, parsed.SubjectKeyId, 32)
	assert.Equal(t, colons(parsed.SubjectKeyId), root.SigningKeyID)
	assert.Equal(t, cluster, root.ExternalTrustDomain)
	assert.Equal(t, noon, root.NotBefore)
	assert.Equal(t, noon.Add(87600*time.Hour), root.NotAfter)
	assert.Nil(t, root.IntermediateCerts)
	assert.Equal(t, "ec", root.PrivateKeyType)
	assert.Equal(t, 256, root.PrivateKeyBits)

	assert.Regexp(t, `^pri-[0-9a-z]{8}\.consul\.ca\.e33f393f\.consul$`, parsed.Subject.CommonName)
	assert.Equal(t, parsed.SubjectKeyId, parsed.AuthorityKeyId)
	assert.Equal(t, x509.KeyUsageCertSign|x509.KeyUsageCRLSign|x509.KeyUsageDigitalSignature, parsed.KeyUsage)
	assert.True(t, parsed.IsCA)
	require.Len(t, parsed.URIs, 1)
	assert.Equal(t, "spiffe://"+cluster+".consul", parsed.URIs[0].String())
}

func TestRootKeepsItsKeyToItself(t *testing.T) {
	t.Parallel()
	shown, err := json.Marshal(newRoot(t, DefaultConfig(), 1))
	require.NoError(t, err)
	assert.NotContains(t, string(shown), "PRIVATE KEY")
}

func TestNewRootOfEveryKey(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{224, 256, 384, 521, 2048, 4096} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			t.Parallel()
			config := DefaultConfig()
			config.PrivateKeyBits = bits
			if bits >= 2048 {
				config.PrivateKeyType = "rsa"
			}
			root := newRoot(t, config, 1)
			assert.Equal(t, config.PrivateKeyType, root.PrivateKeyType)
			assert.Equal(t, bits, root.PrivateKeyBits)

			leaf, err := root.Leaf(web, time.Hour, Issue{Serial: 2, Now: noon})
			require.NoError(t, err)
			verify(t, leaf, root)
		})
	}
}

func TestNewRootOfGivenKey(t *testing.T) {
	t.Parallel()
	first := newRoot(t, DefaultConfig(), 1)
	config := DefaultConfig()
	config.PrivateKey = first.PrivateKey
	second := newRoot(t, config, 2)
	assert.Equal(t, first.SigningKeyID, second.SigningKeyID)
	assert.NotEqual(t, first.ID, second.ID)
}

func TestNewRootGiven(t *testing.T) {
	t.Parallel()
	given := newRoot(t, DefaultConfig(), 77)
	config := DefaultConfig()
	config.RootCert, config.PrivateKey = given.RootCert, given.PrivateKey
	assert.Equal(t, given, newRoot(t, config, 1))
}

func TestNewRootRefuses(t *testing.T) {
	t.Parallel()
	ours, other := newRoot(t, DefaultConfig(), 1), newRoot(t, DefaultConfig(), 2)
	const generating = "error generating CA root certificate: "
	cases := map[string]Config{
		generating + "error generating CA: error parsing private key: no PEM-encoded data found":                   {PrivateKey: "junk"},
		generating + "error generating CA: error parsing private key: unknown PEM block type for signing key: FOO": {PrivateKey: encodePEM("FOO", []byte("x"))},
		generating + "error generating CA: error parsing private key: asn1: syntax error: truncated tag or length": {PrivateKey: encodePEM("PRIVATE KEY", []byte("x"))},
		generating + "unknown private key type requested: x":                                                       {PrivateKeyType: "x"},
		generating + "error generating ECDSA private key: unknown curve length 5":                                  {PrivateKeyType: "ec", PrivateKeyBits: 5},
		"no PEM-encoded data found":                            {RootCert: "junk", PrivateKey: "junk"},
		"error parsing private key: no PEM-encoded data found": {RootCert: ours.RootCert, PrivateKey: "junk"},
		"first PEM-block should be CERTIFICATE type":           {RootCert: encodePEM("FOO", []byte("x")), PrivateKey: ours.PrivateKey},
		"x509: malformed certificate":                          {RootCert: encodePEM("CERTIFICATE", []byte("x")), PrivateKey: ours.PrivateKey},
		"the private key is not that of the root certificate":  {RootCert: ours.RootCert, PrivateKey: other.PrivateKey},
	}
	for text, config := range cases {
		_, err := NewRoot(config, cluster, Issue{Serial: 1, Now: noon})
		assert.EqualError(t, err, text)
	}
}
