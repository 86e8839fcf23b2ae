package login

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issuer signs tokens and serves what an OpenID provider does.
type issuer struct {
	key    *rsa.PrivateKey
	public string // in PEM
	url    string

	mu       sync.Mutex
	idToken  map[string]any
	userInfo map[string]any
	asked    url.Values // what the code was exchanged with
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	i := &issuer{key: key, public: string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	i.url = server.URL
	answer := func(path string, what func(*http.Request) any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			assert.NoError(t, json.NewEncoder(w).Encode(what(r)))
		})
	}
	answer("/.well-known/openid-configuration", func(*http.Request) any {
		return map[string]any{
			"issuer": i.url, "jwks_uri": i.url + "/keys", "authorization_endpoint": i.url + "/auth",
			"token_endpoint": i.url + "/token", "userinfo_endpoint": i.url + "/userinfo",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		}
	})
	answer("/keys", func(*http.Request) any {
		return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, Use: "sig", Algorithm: "RS256"}}}
	})
	answer("/token", func(r *http.Request) any {
		assert.NoError(t, r.ParseForm())
		i.mu.Lock()
		defer i.mu.Unlock()
		i.asked = r.PostForm
		return map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": i.sign(t, i.idToken)}
	})
	answer("/userinfo", func(*http.Request) any {
		i.mu.Lock()
		defer i.mu.Unlock()
		return i.userInfo
	})
	return i
}

func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: i.key}, nil)
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// says are what the next code is exchanged for.
func (i *issuer) says(idToken, userInfo map[string]any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.idToken, i.userInfo = idToken, userInfo
}

// got is what the last code was exchanged with.
func (i *issuer) got(parameter string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked.Get(parameter)
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

func good(iss string) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": iss, "aud": "a", "sub": "s", "name": "alice",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}
