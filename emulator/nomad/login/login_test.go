package login

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokensOfOtherIssuers(t *testing.T) {
	t.Parallel()
	i, other := newIssuer(t), newIssuer(t)
	now := time.Now()
	config := &api.ACLAuthMethodConfig{JWTValidationPubKeys: []string{i.public}, BoundAudiences: []string{"a"}, BoundIssuer: []string{"me"}}
	const unverified = "unable to verify signature of JWT token: "
	for name, test := range map[string]struct {
		token   string
		refused string
	}{
		"good":                      {i.sign(t, good("me")), ""},
		"expired within the leeway": {i.sign(t, with(good("me"), map[string]any{"exp": now.Add(-30 * time.Second).Unix()})), ""},
		"without an end":            {i.sign(t, with(good("me"), map[string]any{"exp": nil})), ""},
		"other audience":            {i.sign(t, with(good("me"), map[string]any{"aud": "x"})), unverified + "invalid audience (aud) claim: audience claim does not match any expected audience"},
		"other issuer":              {i.sign(t, good("x")), "invalid JWT issuer: x"},
		"expired": {i.sign(t, with(good("me"), map[string]any{"exp": now.Add(-time.Hour).Unix(), "iat": nil, "nbf": nil})),
			unverified + "invalid expiration time (exp) claim: token is expired"},
		"not yet valid": {i.sign(t, with(good("me"), map[string]any{"nbf": now.Add(time.Hour).Unix()})), unverified + "invalid not before (nbf) claim: token not yet valid"},
		"without a time": {i.sign(t, with(good("me"), map[string]any{"exp": nil, "iat": nil, "nbf": nil})),
			unverified + "no issued at (iat), not before (nbf), or expiration time (exp) claims in token"},
		"other key": {other.sign(t, good("me")), unverified + "error verifying token signature: no known key successfully validated the token signature"},
		"no token":  {"x", unverified + "error verifying token signature: go-jose/go-jose: compact JWS format must have three parts"},
	} {
		claims, err := Verify(t.Context(), config, test.token)
		if test.refused == "" {
			if assert.NoError(t, err, name) {
				assert.Equal(t, "alice", claims["name"], name)
			}
		} else {
			assert.EqualError(t, err, test.refused, name)
		}
	}
}

func TestKeysAreFetched(t *testing.T) {
	t.Parallel()
	i, other := newIssuer(t), newIssuer(t)
	for name, config := range map[string]*api.ACLAuthMethodConfig{
		"JWKS": {JWKSURL: i.url + "/keys"}, "OIDC": {OIDCDiscoveryURL: i.url},
	} {
		claims, err := Verify(t.Context(), config, i.sign(t, good("me")))
		require.NoError(t, err, name)
		assert.Equal(t, "alice", claims["name"])
		_, err = Verify(t.Context(), config, other.sign(t, good("me")))
		assert.EqualError(t, err, "unable to verify signature of JWT token: error verifying token signature: failed to verify id token signature", name)
	}
	for refused, config := range map[string]*api.ACLAuthMethodConfig{
		"unable to parse public key for JWT auth: data does not contain any valid RSA or ECDSA public keys": {JWTValidationPubKeys: []string{"x"}},
		"unable to get validation keys from JWKS: could not parse CA PEM value successfully":                {JWKSURL: i.url, JWKSCACert: "x"},
		"unable to get validation keys from OIDC provider: 404 Not Found: 404 page not found\n":             {OIDCDiscoveryURL: i.url + "/nowhere"},
		"unable to verify signature of JWT token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm": {
			JWTValidationPubKeys: []string{i.public}, SigningAlgs: []string{"ES256"},
		},
	} {
		_, err := Verify(t.Context(), config, i.sign(t, good("me")))
		assert.EqualError(t, err, refused)
	}
}

// begin begins a login, and returns what the browser is sent to the provider with.
func begin(t *testing.T, l *Logins, m *Method, nonce string) url.Values {
	t.Helper()
	text, err := l.AuthURL(t.Context(), m, "http://localhost:4649/oidc/callback", nonce)
	require.NoError(t, err)
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u.Query()
}

func TestLoggingInWithABrowser(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var l Logins
	m := &Method{Name: "o", Config: &api.ACLAuthMethodConfig{
		OIDCDiscoveryURL: i.url, OIDCClientID: "a", OIDCClientSecret: "secret", OIDCScopes: []string{"groups"}, OIDCEnablePKCE: true,
		AllowedRedirectURIs: []string{"http://localhost:4649/oidc/callback"},
	}}
	sent := begin(t, &l, m, "n")
	assert.Equal(t, "openid groups", sent.Get("scope"))
	assert.Equal(t, "n", sent.Get("nonce"))
	assert.Equal(t, "S256", sent.Get("code_challenge_method"))
	assert.Equal(t, sent, begin(t, &l, m, "n"), "one login for one nonce")
	i.says(with(good(i.url), map[string]any{"nonce": "n"}), map[string]any{"sub": "s", "team": "blue"})
	claims, err := l.Complete(t.Context(), m, "n", sent.Get("state"), "code")
	require.NoError(t, err)
	assert.Equal(t, "alice", claims["name"])
	assert.Equal(t, "blue", claims["team"], "what the user info says counts too")
	assert.NotEmpty(t, i.got("code_verifier"))
	_, err = l.Complete(t.Context(), m, "n", sent.Get("state"), "code")
	assert.EqualError(t, err, "no OIDC request found for client nonce", "a login ends once")

	_, err = l.AuthURL(t.Context(), m, "http://evil/", "n2")
	assert.EqualError(t, err, "failed to generate auth URL: Provider.AuthURL: Provider.validRedirect: redirect URI http://evil/: unauthorized redirect_uri")
	const exchange = "failed to exchange token with provider: Provider.Exchange: "
	for refused, change := range map[string]struct{ claims, info map[string]any }{
		exchange + "id_token failed verification: Provider.VerifyIDToken: invalid id_token nonce: invalid nonce": {map[string]any{"nonce": "x"}, nil},
		exchange + "id_token failed verification: Provider.VerifyIDToken: invalid id_token audiences: verifyAudiences: invalid id_token audiences: invalid audience": {
			map[string]any{"aud": "x"}, nil},
		"failed to retrieve the user info claims: Provider.UserInfo: invalid subject": {nil, map[string]any{"sub": "bob"}},
	} {
		sent := begin(t, &l, m, "n3")
		i.says(with(with(good(i.url), map[string]any{"nonce": "n3"}), change.claims), with(map[string]any{"sub": "s"}, change.info))
		_, err = l.Complete(t.Context(), m, "n3", sent.Get("state"), "code")
		assert.EqualError(t, err, refused)
	}
	begin(t, &l, m, "n4")
	_, err = l.Complete(t.Context(), m, "n4", "other", "code")
	assert.EqualError(t, err, exchange+"authentication request state and authorization state are not equal: invalid parameter")
}

func TestClientsProveWhatTheyAre(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(i.key)}))
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("as if")}))
	sum := sha256.Sum256([]byte("as if"))
	for name, test := range map[string]struct {
		assertion *api.OIDCClientAssertion
		headers   map[string]any
	}{
		"nomad":         {&api.OIDCClientAssertion{KeySource: "nomad", ExtraHeaders: map[string]string{"a": "b"}}, map[string]any{"alg": "RS256", "kid": "own", "a": "b"}},
		"client_secret": {&api.OIDCClientAssertion{KeySource: "client_secret"}, map[string]any{"alg": "HS256"}},
		"private_key": {&api.OIDCClientAssertion{KeySource: "private_key", PrivateKey: &api.OIDCClientAssertionKey{PemKey: text, KeyID: "k"}},
			map[string]any{"alg": "RS256", "kid": "k"}},
		"certificate": {&api.OIDCClientAssertion{KeySource: "private_key", PrivateKey: &api.OIDCClientAssertionKey{PemKey: text, PemCert: certificate}},
			map[string]any{"alg": "RS256", "x5t#S256": base64.RawURLEncoding.EncodeToString(sum[:])}},
	} {
		token, err := Assertion(&api.ACLAuthMethodConfig{
			OIDCClientID: "c", OIDCDiscoveryURL: "https://p", OIDCClientSecret: strings.Repeat("s", 32), OIDCClientAssertion: test.assertion,
		}, i.key, "own")
		if !assert.NoError(t, err, name) {
			continue
		}
		head, _, _ := strings.Cut(token, ".")
		decoded, err := base64.RawURLEncoding.DecodeString(head)
		require.NoError(t, err)
		var headers map[string]any
		require.NoError(t, json.Unmarshal(decoded, &headers))
		delete(headers, "typ")
		assert.Equal(t, test.headers, headers, name)
	}
	_, err := Assertion(&api.ACLAuthMethodConfig{OIDCClientID: "c", OIDCDiscoveryURL: "https://p", OIDCClientAssertion: &api.OIDCClientAssertion{
		KeySource: "private_key", PrivateKey: &api.OIDCClientAssertionKey{PemKey: "x", KeyID: "k"},
	}}, nil, "")
	assert.EqualError(t, err, "failed to build client_assertion jwt: error parsing PemKey: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key")
}

func TestAssertionsReplaceTheSecret(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var l Logins
	m := &Method{
		Name: "o", Assert: func() (string, error) { return "proof", nil },
		Config: &api.ACLAuthMethodConfig{OIDCDiscoveryURL: i.url, OIDCClientID: "a", OIDCDisableUserInfo: true},
	}
	sent := begin(t, &l, m, "n")
	i.says(with(good(i.url), map[string]any{"nonce": "n"}), nil)
	_, err := l.Complete(t.Context(), m, "n", sent.Get("state"), "code")
	require.NoError(t, err)
	assert.Equal(t, "proof", i.got("client_assertion"))
	assert.Equal(t, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", i.got("client_assertion_type"))
}
