package consul

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// trusts tells whether somebody who knows only a root accepts a chain, and says whose the chain is.
func trusts(t *testing.T, root, chain string) (string, error) {
	t.Helper()
	known, between := x509.NewCertPool(), x509.NewCertPool()
	require.True(t, known.AppendCertsFromPEM([]byte(root)))
	block, rest := pem.Decode([]byte(chain))
	require.NotNil(t, block)
	between.AppendCertsFromPEM(rest)
	leaf, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: known, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return leaf.URIs[0].String(), err
}

func TestTheAuthorityGivesLeavesThatItsRootStandsFor(t *testing.T) {
	t.Parallel()
	c := start(t, Options{CA: map[string]any{"cluster_id": "11111111-2222-3333-4444-555555555555", "leaf_cert_ttl": "48h"}})
	official := client(t, c)
	roots, meta, err := official.Connect().CARoots(nil)
	require.NoError(t, err)
	require.Len(t, roots.Roots, 1)
	assert.NotZero(t, meta.LastIndex)
	assert.Equal(t, "11111111-2222-3333-4444-555555555555.consul", roots.TrustDomain)
	assert.True(t, roots.Roots[0].Active)

	leaf, meta, err := official.Agent().ConnectCALeaf("web", nil)
	require.NoError(t, err)
	identity, err := trusts(t, roots.Roots[0].RootCertPEM, leaf.CertPEM)
	require.NoError(t, err)
	assert.Equal(t, "spiffe://11111111-2222-3333-4444-555555555555.consul/ns/default/dc/dc1/svc/web", identity)
	assert.Equal(t, identity, leaf.ServiceURI)
	assert.Equal(t, 48*time.Hour, leaf.ValidBefore.Sub(leaf.ValidAfter))
	assert.False(t, meta.CacheHit)
	again, meta, err := official.Agent().ConnectCALeaf("web", nil)
	require.NoError(t, err)
	assert.Equal(t, leaf.SerialNumber, again.SerialNumber, "the agent keeps it")
	assert.True(t, meta.CacheHit)

	_, header, body := ask(t, c, http.MethodGet, "/v1/connect/ca/roots?pem=true", nil)
	assert.Equal(t, "application/pem-certificate-chain", header.Get("Content-Type"))
	assert.Equal(t, roots.Roots[0].RootCertPEM, body)
	assert.NotContains(t, get[map[string]any](t, c, "/v1/connect/ca/roots"), "PrivateKey")
}

func TestARotatedRootIsTrustedByThoseWhoKnowTheOld(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	official := client(t, c)
	before, _, err := official.Connect().CARoots(nil)
	require.NoError(t, err)
	leaf, meta, err := official.Agent().ConnectCALeaf("web", nil)
	require.NoError(t, err)

	waiting := make(chan *api.LeafCert, 1)
	go func() {
		next, _, err := official.Agent().ConnectCALeaf("web", &api.QueryOptions{WaitIndex: meta.LastIndex, WaitTime: time.Minute})
		assert.NoError(t, err)
		waiting <- next
	}()
	config, _, err := official.Connect().CAGetConfig(nil)
	require.NoError(t, err)
	config.Config["PrivateKeyBits"] = 384
	config.Config["test_state"] = map[string]string{"foo": "bar"}
	_, err = official.Connect().CASetConfig(config, nil)
	require.NoError(t, err)

	next := <-waiting
	require.NotNil(t, next)
	assert.NotEqual(t, leaf.SerialNumber, next.SerialNumber)
	_, err = trusts(t, before.Roots[0].RootCertPEM, next.CertPEM)
	assert.NoError(t, err)
	after, _, err := official.Connect().CARoots(nil)
	require.NoError(t, err)
	assert.Len(t, after.Roots, 2)
	assert.NotEqual(t, before.ActiveRootID, after.ActiveRootID)
	config, _, err = official.Connect().CAGetConfig(nil)
	require.NoError(t, err)
	assert.Equal(t, "bar", config.State["foo"])
}

func TestAnAuthorityIsKeptOverARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var ids []string
	for range 2 {
		c, err := Start(t.Context(), Options{Dir: dir})
		require.NoError(t, err)
		roots, _, err := client(t, c).Connect().CARoots(nil)
		require.NoError(t, err)
		ids = append(ids, roots.ActiveRootID)
		_, _, err = client(t, c).Agent().ConnectCALeaf("web", nil)
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	assert.Equal(t, ids[0], ids[1])
}

func TestAuthorityRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for body, want := range map[string]string{
		`{"Provider":"bad","Config":{}}`:                          `could not initialize provider: unknown CA provider "bad"`,
		`{"Provider":"consul","Config":{"LeafCertTTL":"1m"}}`:     "error configuring provider: leaf cert TTL must be greater or equal than 1h0m0s",
		`{"Provider":"consul","Config":{"PrivateKeyType":"bad"}}`: "error configuring provider: private key type must be either 'ec' or 'rsa'",
	} {
		status, _, text := ask(t, c, http.MethodPut, "/v1/connect/ca/configuration", strings.NewReader(body))
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Equal(t, want, text)
	}
	status, _, text := ask(t, c, http.MethodGet, "/v1/agent/connect/ca/leaf/", nil)
	assert.Equal(t, http.StatusInternalServerError, status)
	assert.Equal(t, "URI must be either service, agent, server, or kind", text)

	off := start(t, Options{WithoutConnect: true})
	for _, path := range []string{"/v1/connect/ca/roots", "/v1/agent/connect/ca/roots", "/v1/agent/connect/ca/leaf/web", "/v1/connect/ca/configuration"} {
		status, _, text = ask(t, off, http.MethodGet, path, nil)
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Equal(t, "Connect must be enabled in order to use this endpoint", text, path)
	}
}
