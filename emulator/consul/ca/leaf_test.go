package ca

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var web = Identity{TrustDomain(cluster), "dc1", "web"}

// verify fails the test unless who trusts only the given root accepts the leaf
// with the certificates that come with it.
func verify(t *testing.T, leaf *Leaf, trusted *Root) {
	t.Helper()
	require.NoError(t, check(t, leaf, trusted, noon))
}

func check(t *testing.T, leaf *Leaf, trusted *Root, at time.Time) error {
	t.Helper()
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(trusted.RootCert)))
	intermediates.AppendCertsFromPEM([]byte(leaf.CertPEM))
	_, err := certificate(t, leaf.CertPEM).Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

func TestLeafIsAsConsulMakesIt(t *testing.T) {
	t.Parallel()
	root := newRoot(t, DefaultConfig(), 12)
	leaf, err := root.Leaf(web, 72*time.Hour, Issue{Serial: 14, Now: noon})
	require.NoError(t, err)

	const uri = "spiffe://" + cluster + ".consul/ns/default/dc/dc1/svc/web"
	assert.Equal(t, "0e", leaf.SerialNumber)
	assert.Equal(t, "web", leaf.Service)
	assert.Equal(t, uri, leaf.ServiceURI)
	assert.Equal(t, noon.Add(-time.Minute), leaf.ValidAfter)
	assert.Equal(t, noon.Add(72*time.Hour-time.Minute), leaf.ValidBefore)

	parsed := certificate(t, leaf.CertPEM)
	assert.Empty(t, parsed.Subject.String())
	assert.Empty(t, parsed.DNSNames)
	require.Len(t, parsed.URIs, 1)
	assert.Equal(t, uri, parsed.URIs[0].String())
	assert.False(t, parsed.IsCA)
	assert.True(t, parsed.BasicConstraintsValid)
	assert.Equal(t, x509.KeyUsageDigitalSignature|x509.KeyUsageKeyEncipherment|x509.KeyUsageDataEncipherment|x509.KeyUsageKeyAgreement, parsed.KeyUsage)
	assert.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}, parsed.ExtKeyUsage)
	assert.Equal(t, root.SigningKeyID, colons(parsed.AuthorityKeyId))
	assert.Len(t, parsed.SubjectKeyId, 32)

	_, err = tls.X509KeyPair([]byte(leaf.CertPEM), []byte(leaf.PrivateKeyPEM))
	require.NoError(t, err)
	verify(t, leaf, root)
	assert.Error(t, check(t, leaf, root, noon.Add(73*time.Hour)), "expired")
	assert.Error(t, check(t, leaf, newRoot(t, DefaultConfig(), 12), noon), "another root")
}

func TestSerialNumbersAreInPairs(t *testing.T) {
	t.Parallel()
	leaf, err := newRoot(t, DefaultConfig(), 1).Leaf(web, time.Hour, Issue{Serial: 0x1a2b, Now: noon})
	require.NoError(t, err)
	assert.Equal(t, "1a:2b", leaf.SerialNumber)
}

func TestRotatedLeafIsAcceptedThroughTheOldRoot(t *testing.T) {
	t.Parallel()
	rsa := DefaultConfig()
	rsa.PrivateKeyType, rsa.PrivateKeyBits = "rsa", 2048
	for name, configs := range map[string][2]Config{
		"ec to ec": {DefaultConfig(), DefaultConfig()}, "ec to rsa": {DefaultConfig(), rsa}, "rsa to ec": {rsa, DefaultConfig()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, next := newRoot(t, configs[0], 1), newRoot(t, configs[1], 2)
			crossed, err := old.CrossSign(next, Issue{Serial: 3, Now: noon})
			require.NoError(t, err)
			require.Len(t, crossed.IntermediateCerts, 1)
			assert.Empty(t, next.IntermediateCerts, "left as it was")

			bridge := certificate(t, crossed.IntermediateCerts[0])
			assert.Equal(t, certificate(t, next.RootCert).Subject.String(), bridge.Subject.String())
			assert.Equal(t, next.SigningKeyID, colons(bridge.SubjectKeyId))
			assert.Equal(t, old.SigningKeyID, colons(bridge.AuthorityKeyId))
			assert.Equal(t, 7*24*time.Hour, bridge.NotAfter.Sub(bridge.NotBefore))

			leaf, err := crossed.Leaf(web, time.Hour, Issue{Serial: 4, Now: noon})
			require.NoError(t, err)
			verify(t, leaf, old)
			verify(t, leaf, next)

			alone, err := next.Leaf(web, time.Hour, Issue{Serial: 5, Now: noon})
			require.NoError(t, err)
			assert.Error(t, check(t, alone, old, noon), "without the bridge")
		})
	}
}

func TestHandshakeAcrossRotation(t *testing.T) {
	t.Parallel()
	old := newRoot(t, DefaultConfig(), 1)
	crossed, err := old.CrossSign(newRoot(t, DefaultConfig(), 2), Issue{Serial: 3, Now: noon})
	require.NoError(t, err)
	leaf, err := crossed.Leaf(web, time.Hour, Issue{Serial: 4, Now: noon})
	require.NoError(t, err)
	pair, err := tls.X509KeyPair([]byte(leaf.CertPEM), []byte(leaf.PrivateKeyPEM))
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(old.RootCert))

	now := func() time.Time { return noon }
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	server := tls.Server(far, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots, Time: now})
	client := tls.Client(near, &tls.Config{
		Certificates: []tls.Certificate{pair}, RootCAs: roots, Time: now,
		InsecureSkipVerify: true, // the names are SPIFFE ids; the chain is checked below
		VerifyConnection: func(state tls.ConnectionState) error {
			intermediates := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				intermediates.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: noon})
			return err
		},
	})
	served := make(chan error, 1)
	go func() { served <- server.Handshake() }()
	require.NoError(t, client.Handshake())
	require.NoError(t, <-served)
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	domain := TrustDomain(cluster)
	for _, identity := range []Identity{
		web, Identity{domain, "dc1", "a b"}, Identity{domain, "dc1", "%41"}, Identity{domain, "dc1", "ü"},
	} {
		uri, err := url.Parse(identity.URI().String())
		require.NoError(t, err)
		parsed, err := ParseIdentity(uri)
		require.NoError(t, err)
		assert.Equal(t, identity, parsed)
	}
	assert.Equal(t, "spiffe://"+domain+"/ns/default/dc/dc1/svc/a%20b", Identity{domain, "dc1", "a b"}.URI().String())

	_, err := newRoot(t, DefaultConfig(), 1).Leaf(Identity{domain, "dc1", "a/b"}, time.Hour, Issue{Serial: 2, Now: noon})
	var invalid *IdentityError
	require.ErrorAs(t, err, &invalid)
	assert.EqualError(t, err, "SPIFFE ID is not in the expected format: spiffe://"+domain+"/ns/default/dc/dc1/svc/a/b")
}

func FuzzParseIdentity(f *testing.F) {
	f.Add(web.URI().String())
	f.Add("spiffe:///svc")
	f.Fuzz(func(t *testing.T, text string) {
		uri, err := url.Parse(text)
		if err != nil {
			return
		}
		if identity, err := ParseIdentity(uri); err == nil {
			assert.Equal(t, uri.Path, identity.URI().Path)
		}
	})
}
