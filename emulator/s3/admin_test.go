package s3

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

const readonly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["arn:aws:s3:::*"]}]}`

// admin sends a request about keys with its body signed.
func (e *endpoint) admin(t testing.TB, method, path, body string) reply {
	t.Helper()
	return e.do(t, e.sign(t, e.request(t, method, keysPath+path, []byte(body)), hexSHA256(body)))
}

func TestKeysComeAndGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, b := bucketed(t, Options{Dir: dir})
	e.put(t, b, "key", "data")
	require.Equal(t, 204, e.admin(t, http.MethodPut, "/new", `{"secret": "new-secret", "policy": `+readonly+`}`).status)
	get := func(e *endpoint) error {
		_, err := e.client(t, "new", "new-secret").StatObject(t.Context(), b, "key", minio.StatObjectOptions{})
		return err
	}
	put := func(e *endpoint) error {
		_, err := e.client(t, "new", "new-secret").PutObject(t.Context(), b, "key", strings.NewReader("data"), 4, minio.PutObjectOptions{})
		return err
	}
	link, err := e.client(t, "new", "new-secret").PresignedGetObject(t.Context(), b, "key", time.Minute, nil)
	require.NoError(t, err)
	follow := func() reply {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link.String(), nil)
		require.NoError(t, err)
		return e.do(t, req)
	}
	require.NoError(t, get(e))
	require.Equal(t, "AccessDenied", codeOf(put(e)))
	require.Equal(t, 200, follow().status)

	require.Equal(t, `[{"name":"drydock","policy":null,"fixed":true},{"name":"new","policy":`+readonly+`},{"name":"second","policy":null,"fixed":true}]`,
		e.admin(t, http.MethodGet, "", "").body)

	require.Equal(t, 204, e.admin(t, http.MethodPut, "/new/policy", strings.ReplaceAll(readonly, "Get", "Put")).status)
	require.NoError(t, put(e))
	require.Equal(t, "AccessDenied", codeOf(get(e)))
	require.Equal(t, "AccessDenied", follow().code(t), "a link does no more than its key")

	require.NoError(t, e.Close())
	info, err := os.Stat(filepath.Join(dir, keysFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again := start(t, Options{Dir: dir})
	require.NoError(t, put(again), "kept")
	require.Equal(t, 204, again.admin(t, http.MethodPut, "/new/policy", "null").status)
	require.NoError(t, get(again))
	require.Equal(t, 204, again.admin(t, http.MethodDelete, "/new", "").status)
	require.Equal(t, "InvalidAccessKeyId", codeOf(put(again)))
}

func TestKeysRefused(t *testing.T) {
	t.Parallel()
	e := start(t, Options{Keys: map[string]Key{
		testKey:  {Secret: testSecret},
		"writer": {"writer-secret", allowing(t, "Allow s3:* *")},
	}})
	const good = `{"secret": "a-secret", "policy": null}`
	require.Equal(t, 204, e.admin(t, http.MethodPut, "/there", good).status)
	for _, x := range []struct{ method, path, body, code string }{
		{http.MethodPut, "/there", good, "AccessKeyExists"},
		{http.MethodPut, "/" + testKey, good, "AccessKeyFixed"},
		{http.MethodPut, "/" + testKey + "/policy", readonly, "AccessKeyFixed"},
		{http.MethodDelete, "/" + testKey, "", "AccessKeyFixed"},
		{http.MethodPut, "/no", good, "InvalidAccessKey"},
		{http.MethodPut, "/a*b", good, "InvalidAccessKey"},
		{http.MethodPut, "/new", `{"secret": "short", "policy": null}`, "InvalidSecretKey"},
		{http.MethodPut, "/new", `{"secret": "a-secret"}`, "MalformedPolicy"},
		{http.MethodPut, "/new", `{"secret": "a-secret", "policy": {}}`, "MalformedPolicy"},
		{http.MethodPut, "/new", "", "InvalidRequest"},
		{http.MethodPut, "/there/policy", "", "MalformedPolicy"},
		{http.MethodPut, "/absent/policy", readonly, "NoSuchAccessKey"},
		{http.MethodDelete, "/absent", "", "NoSuchAccessKey"},
		{http.MethodPost, "", "", "MethodNotAllowed"},
		{http.MethodPut, "/new", strings.Repeat(" ", maxAdminBody+1), "EntityTooLarge"},
	} {
		require.Equal(t, x.code, e.admin(t, x.method, x.path, x.body).code(t), x)
	}
	t.Run("who may not", func(t *testing.T) {
		require.Equal(t, "AccessDenied", e.anyone(t, http.MethodGet, keysPath, nil).code(t))
		unsigned := e.signed(t, http.MethodPut, keysPath+"/new", []byte(good))
		require.Equal(t, "AccessDenied", unsigned.code(t), "the body has to be signed")
		writer := e.signAs(t, "writer", "writer-secret", e.request(t, http.MethodGet, keysPath, nil), emptySHA256)
		require.Equal(t, "AccessDenied", e.do(t, writer).code(t))
		link, err := e.PresignHeader(t.Context(), http.MethodGet, "minio", "drydock/keys", time.Minute, nil, nil)
		if err == nil {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link.String(), nil)
			require.NoError(t, err)
			require.Equal(t, "AccessDenied", e.do(t, req).code(t), "a link is no way to administrate")
		}
	})
	require.Len(t, e.keys.all(), 3)
}
