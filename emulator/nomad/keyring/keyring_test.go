package keyring

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestKeysSurviveARestartAndAreNotInTheState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	journal, file := filepath.Join(dir, "state.journal"), filepath.Join(dir, "keystore", "key")
	open := func() (*state.Store, *Keyring) {
		store, err := state.Open(journal)
		require.NoError(t, err)
		k, err := Open(store, file)
		require.NoError(t, err)
		return store, k
	}
	store, k := open()
	key, err := k.Active()
	require.NoError(t, err)
	again, err := k.Active()
	require.NoError(t, err)
	assert.Same(t, key, again)
	sealed := key.Encrypt([]byte("secret"), "a")
	token, err := key.Sign(NewClaims("s", nil, time.Now(), time.Hour))
	require.NoError(t, err)
	require.NoError(t, store.Close())

	store, k = open()
	defer store.Close()
	reopened, err := k.Key(key.ID())
	require.NoError(t, err)
	text, err := reopened.Decrypt(sealed, "a")
	require.NoError(t, err)
	assert.Equal(t, "secret", string(text))
	_, err = reopened.Decrypt(sealed, "b")
	assert.Error(t, err)
	_, err = reopened.Decrypt(sealed[:3], "a")
	assert.Error(t, err)
	claims, err := k.Verify(token, time.Now())
	require.NoError(t, err)
	assert.Equal(t, "s", claims.Subject)

	other, err := Open(store, "")
	require.NoError(t, err)
	_, err = other.Key(key.ID())
	assert.ErrorContains(t, err, "decrypt the root key", "the state alone does not do")
	require.NoError(t, os.WriteFile(file, []byte("short"), 0o600))
	_, err = Open(store, file)
	assert.ErrorContains(t, err, "has no key of 32 bytes")
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	store, err := state.New()
	require.NoError(t, err)
	k, err := Open(store, "")
	require.NoError(t, err)
	key, err := k.Active()
	require.NoError(t, err)
	sign := func(claims Claims) string {
		token, err := key.Sign(claims)
		require.NoError(t, err)
		return token
	}
	now := time.Now()
	good := NewClaims("global:default:j:g:t:default", []string{"one"}, now, time.Minute)
	good.Job = "j"
	claims, err := k.Verify(sign(good), now)
	require.NoError(t, err)
	assert.Equal(t, "j", claims.Job)
	assert.Equal(t, audience{"one"}, claims.Audience)

	late := good
	late.Expiry = jwt.NewNumericDate(now.Add(-time.Hour))
	forged := sign(good)
	forged = forged[:strings.LastIndex(forged, ".")] + ".AAAA"
	unknown, _, err := k.New(api.RootKeyStateActive, time.Time{})
	require.NoError(t, err)
	stranger, err := unwrap(k.wrap, unknown)
	require.NoError(t, err)
	strange, err := stranger.Sign(good)
	require.NoError(t, err)
	for token, problem := range map[string]string{
		"nope":     "failed to parse signed token: go-jose/go-jose: compact JWS format must have three parts",
		forged:     "invalid signature: go-jose/go-jose: error in cryptographic primitive",
		sign(late): "invalid claims: go-jose/go-jose/jwt: validation failed, token is expired (exp)",
		strange:    "root key not found",
	} {
		_, err := k.Verify(token, now)
		assert.EqualError(t, err, problem)
	}

	keys, err := k.Public(store.View())
	require.NoError(t, err)
	require.Len(t, keys, 1)
	parsed, err := jwt.ParseSigned(sign(good), []jose.SignatureAlgorithm{jose.RS256})
	require.NoError(t, err)
	var said map[string]any
	require.NoError(t, parsed.Claims(keys[0], &said))
	assert.Equal(t, "one", said["aud"])
}
