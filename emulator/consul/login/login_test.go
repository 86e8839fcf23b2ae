package login

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuer signs tokens.
type issuer struct {
	key    *ecdsa.PrivateKey
	public string // in PEM
}

func newIssuer(t *testing.T) issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	return issuer{key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
}

func (i issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: i.key}, nil)
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// serve serves the issuer's keys, and tells where they are as OIDC has it.
func (i issuer) serve(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	answer := func(path string, value any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			assert.NoError(t, json.NewEncoder(w).Encode(value))
		})
	}
	answer("/keys", jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &i.key.PublicKey, Use: "sig"}}})
	answer("/.well-known/openid-configuration", map[string]any{
		"issuer": server.URL, "jwks_uri": server.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"},
	})
	return server.URL
}

func parsed(t *testing.T, config map[string]any) Method {
	t.Helper()
	method, err := Parse(JWT, config)
	require.NoError(t, err)
	return method
}

// with is the claims with others set over them; nil leaves one out.
func with(claims, others map[string]any) map[string]any {
	all := map[string]any{}
	for _, from := range []map[string]any{claims, others} {
		for name, value := range from {
			if all[name] = value; value == nil {
				delete(all, name)
			}
		}
	}
	return all
}

func TestClaimsBecomeAttributes(t *testing.T) {
	t.Parallel()
	bob := newIssuer(t)
	method := parsed(t, map[string]any{
		"JWTValidationPubKeys": []any{newIssuer(t).public, bob.public},
		"ClaimMappings":        map[string]any{"http://x/name": "name", "/nested/team": "team", "age": "age", "admin": "admin"},
		"ListClaimMappings":    map[string]any{"groups": "groups", "one": "one"},
	})
	identity, err := method.Verify(t.Context(), bob.sign(t, map[string]any{
		"iat": time.Now().Unix(), "http://x/name": "bob", "nested": map[string]any{"team": "blue"},
		"age": 42, "admin": true, "groups": []any{"g1", 2}, "one": "only",
	}))
	require.NoError(t, err)

	filled, err := identity.Fill("${value.name}-${value.team}-${value.age}-${value.admin}")
	require.NoError(t, err)
	assert.Equal(t, "bob-blue-42-true", filled)
	for selector, want := range map[string]bool{
		"":                                      true,
		`value.name == bob`:                     true,
		`value.name != bob`:                     false,
		`"g1" in list.groups and value.age==42`: true,
		`"2" in list.groups`:                    true,
		`"g3" in list.groups`:                   false,
		`only in list.one`:                      true,
		`value.missing == x`:                    false,
		`value.missing is empty`:                true,
		`not value.team matches "^b"`:           false,
	} {
		matches, err := identity.Matches(selector)
		require.NoError(t, err, selector)
		assert.Equal(t, want, matches, selector)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	trusted, now := newIssuer(t), time.Now()
	method := parsed(t, map[string]any{
		"JWTValidationPubKeys": []any{trusted.public}, "BoundIssuer": "iss", "BoundAudiences": []any{"aud"},
		"ClaimMappings": map[string]any{"name": "name"}, "ListClaimMappings": map[string]any{"groups": "groups"},
	})
	good := map[string]any{"iss": "iss", "aud": "aud", "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	for name, test := range map[string]struct {
		claims  map[string]any
		refused string
	}{
		"good":                      {nil, ""},
		"one of several audiences":  {map[string]any{"aud": []any{"x", "aud"}}, ""},
		"expired within the leeway": {map[string]any{"exp": now.Add(-30 * time.Second).Unix()}, ""},
		"issued a moment ago":       {map[string]any{"exp": nil}, ""},
		"other issuer":              {map[string]any{"iss": "x"}, "error validating claims: go-jose/go-jose/jwt: validation failed, invalid issuer claim (iss)"},
		"other audience":            {map[string]any{"aud": "x"}, "error validating claims: aud claim does not match any bound audience"},
		"expired":                   {map[string]any{"exp": now.Add(-time.Hour).Unix()}, "error validating claims: go-jose/go-jose/jwt: validation failed, token is expired (exp)"},
		"issued long ago":           {map[string]any{"exp": nil, "iat": now.Add(-time.Hour).Unix()}, "error validating claims: go-jose/go-jose/jwt: validation failed, token is expired (exp)"},
		"ends long after the token that says nothing of its begin": {map[string]any{"iat": nil},
			"error validating claims: go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)"},
		"not yet valid":  {map[string]any{"nbf": now.Add(time.Hour).Unix()}, "error validating claims: go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)"},
		"without a time": {map[string]any{"exp": nil, "iat": nil}, "no issue time, notbefore, or expiration time encoded in token"},
		"not a text":     {map[string]any{"name": map[string]any{"a": 1}}, "error converting claim 'name' to string from unknown type map[string]interface {}"},
		"not a list":     {map[string]any{"groups": map[string]any{"a": 1}}, `"groups" list claim could not be converted to string list`},
	} {
		_, err := method.Verify(t.Context(), trusted.sign(t, with(good, test.claims)))
		if test.refused == "" {
			assert.NoError(t, err, name)
		} else {
			assert.EqualError(t, err, test.refused, name)
		}
	}
	for token, refused := range map[string]string{
		"":                         "missing jwt",
		"x":                        "error parsing token: go-jose/go-jose: compact JWS format must have three parts",
		"eyJhbGciOiJub25lIn0.e30.": "no known key successfully validated the token signature",
		newIssuer(t).sign(t, good): "no known key successfully validated the token signature",
	} {
		_, err := method.Verify(t.Context(), token)
		assert.EqualError(t, err, refused)
	}
}

func TestAudiencesHaveToBeBound(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	_, err := parsed(t, map[string]any{"JWTValidationPubKeys": []any{i.public}}).
		Verify(t.Context(), i.sign(t, map[string]any{"aud": "aud", "iat": time.Now().Unix()}))
	assert.EqualError(t, err, "error validating claims: audience claim found in JWT but no audiences are bound")
}

func TestKeysAreFetched(t *testing.T) {
	t.Parallel()
	trusted, other := newIssuer(t), newIssuer(t)
	url := trusted.serve(t)
	for name, config := range map[string]map[string]any{
		"JWKS": {"JWKSURL": url + "/keys", "ClaimMappings": map[string]any{"name": "name"}},
		"OIDC": {"OIDCDiscoveryURL": url, "ClaimMappings": map[string]any{"name": "name"}},
	} {
		t.Run(name, func(t *testing.T) {
			method := parsed(t, config)
			require.NoError(t, method.Probe(t.Context()))
			claims := map[string]any{"iss": url, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(), "name": "bob"}
			identity, err := method.Verify(t.Context(), trusted.sign(t, claims))
			require.NoError(t, err)
			name, err := identity.Fill("${value.name}")
			require.NoError(t, err)
			assert.Equal(t, "bob", name)

			_, err = method.Verify(t.Context(), other.sign(t, claims))
			assert.ErrorContains(t, err, "failed to verify id token signature")
			_, err = method.Verify(t.Context(), trusted.sign(t, with(claims, map[string]any{"exp": 1})))
			assert.ErrorContains(t, err, "expired")
		})
	}
}

func TestServersOfKeysThatAreNotThere(t *testing.T) {
	t.Parallel()
	url := newIssuer(t).serve(t)
	for refused, config := range map[string]map[string]any{
		"error checking JWKSURL: fetching keys oidc: get keys failed: 404 Not Found 404 page not found\n": {"JWKSURL": url + "/nowhere"},
		"error checking OIDCDiscoveryURL: 404 Not Found: 404 page not found\n":                            {"OIDCDiscoveryURL": url + "/nowhere"},
	} {
		assert.EqualError(t, parsed(t, config).Probe(t.Context()), refused)
	}
}
