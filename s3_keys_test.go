package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3"
)

// ruledStore is an object store with the bucket uploads and a key of its
// configuration, and what runs a command of drydock s3 on it.
func ruledStore(t *testing.T) (address string, run func(stdin string, args ...string) (string, error)) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys.json"), []byte(`{"drydock": "drydock-secret"}`), 0o600))
	store, err := s3.Open(s3.Options{
		Dir: filepath.Join(dir, "s3"), NoSync: true, Logger: slog.New(slog.DiscardHandler),
		Keys: map[string]s3.Key{"drydock": {Secret: "drydock-secret"}},
	})
	require.NoError(t, err)
	require.NoError(t, store.CreateBucket("uploads"))
	server := httptest.NewServer(store)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, store.Close())
	})
	return strings.TrimPrefix(server.URL, "http://"), func(stdin string, args ...string) (string, error) {
		var out bytes.Buffer
		root := rootCommand(func(string) string { return "" })
		root.SetArgs(append([]string{"s3", "--endpoint", server.URL, "--dir", dir}, args...))
		root.SetIn(strings.NewReader(stdin))
		root.SetOut(&out)
		root.SetErr(io.Discard)
		err := root.ExecuteContext(t.Context())
		return out.String(), err
	}
}

// puts tells what a key gets for writing an object, and for reading it.
func puts(t *testing.T, address, key, secret string) (write, read string) {
	t.Helper()
	c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(key, secret, ""), Region: "us-east-1", MaxRetries: 1})
	require.NoError(t, err)
	code := func(err error) string {
		if err == nil {
			return "done"
		}
		return minio.ToErrorResponse(err).Code
	}
	_, err = c.PutObject(t.Context(), "uploads", "key", strings.NewReader("data"), 4, minio.PutObjectOptions{})
	write = code(err)
	_, err = c.GetObjectTagging(t.Context(), "uploads", "key", minio.GetObjectTaggingOptions{})
	return write, code(err)
}

func TestKeysByCommand(t *testing.T) {
	t.Parallel()
	address, run := ruledStore(t)
	out, err := run("", "keys", "create", "laptop", "--policy", "writeonly", "--json")
	require.NoError(t, err)
	var made struct{ AccessKey, SecretKey string }
	require.NoError(t, json.Unmarshal([]byte(out), &made))
	require.Equal(t, "laptop", made.AccessKey)
	write, read := puts(t, address, "laptop", made.SecretKey)
	assert.Equal(t, "done", write)
	assert.Equal(t, "AccessDenied", read)

	out, err = run(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}}`, "keys", "set-policy", "laptop", "-")
	require.NoError(t, err)
	assert.Equal(t, "Key laptop may do what its own policy says from now on.\n", out)
	write, read = puts(t, address, "laptop", made.SecretKey)
	assert.Equal(t, "AccessDenied", write)
	assert.Equal(t, "done", read)

	out, err = run("", "keys", "list")
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^drydock +everything +drydock up$`, out)
	assert.Regexp(t, `(?m)^laptop +what its own policy says +drydock s3 keys create$`, out)
	assert.NotContains(t, out, made.SecretKey)

	out, err = run("the-secret\n", "keys", "create", "reports", "--policy", "everything", "--secret-stdin")
	require.NoError(t, err)
	assert.Equal(t, "access key  reports\n", out)
	write, _ = puts(t, address, "reports", "the-secret")
	assert.Equal(t, "done", write)

	_, err = run("", "keys", "remove", "laptop", "reports")
	require.NoError(t, err)
	write, _ = puts(t, address, "reports", "the-secret")
	assert.Equal(t, "InvalidAccessKeyId", write)
}

func TestKeysByCommandRefused(t *testing.T) {
	t.Parallel()
	_, run := ruledStore(t)
	_, err := run("", "keys", "create", "there", "--policy", "readonly")
	require.NoError(t, err)
	for _, x := range []struct {
		says  string
		stdin string
		args  []string
	}{
		{`required flag(s) "policy" not set`, "", []string{"create", "new"}},
		{"--policy nothing is neither a policy nor a file: policies are consoleAdmin, readonly, readwrite, writeonly, everything", "", []string{"create", "new", "--policy", "nothing"}},
		{"--policy - is no policy: unexpected EOF", "{", []string{"create", "new", "--policy", "-"}},
		{"- is no policy: unsupported action 's3:Frob'", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Frob", "Resource": "*"}}`, []string{"set-policy", "there", "-"}},
		{"- is longer than a policy may be", strings.Repeat(" ", maxPolicyBytes+1), []string{"set-policy", "there", "-"}},
		{"create key there: There is such an access key already", "", []string{"create", "there", "--policy", "readonly"}},
		{"create key a: An access key has 3 to 128", "", []string{"create", "a", "--policy", "readonly"}},
		{"create key a/b: An access key has 3 to 128", "", []string{"create", "a/b", "--policy", "readonly"}},
		{"create key new: A secret has 8 to 128 bytes", "short\n", []string{"create", "new", "--policy", "readonly", "--secret-stdin"}},
		{"either the policy or the secret", "{}", []string{"create", "new", "--policy", "-", "--secret-stdin"}},
		{"remove key drydock: The access key is part of the server's configuration", "", []string{"remove", "drydock"}},
		{"remove key absent: There is no such access key", "", []string{"remove", "absent"}},
		{"set policy of key absent: There is no such access key", "", []string{"set-policy", "absent", "readonly"}},
	} {
		_, err := run(x.stdin, append([]string{"keys"}, x.args...)...)
		require.ErrorContains(t, err, x.says, x.args)
	}
}

func TestPoliciesByCommand(t *testing.T) {
	t.Parallel()
	address, run := ruledStore(t)
	status := func() int {
		resp, err := http.Get("http://" + address + "/uploads?prefix=a")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	out, err := run("", "policy", "show", "uploads")
	require.NoError(t, err)
	assert.Equal(t, "Bucket uploads has no policy: nobody uses it without an access key.\n", out)
	assert.Equal(t, 403, status())

	_, err = run("", "policy", "set", "uploads", "download")
	require.NoError(t, err)
	assert.Equal(t, 200, status())
	out, err = run("", "policy", "show", "uploads")
	require.NoError(t, err)
	assert.Contains(t, out, `"s3:ListBucket"`)

	_, err = run(out, "policy", "set", "uploads", "-")
	require.NoError(t, err, "what is shown can be set")
	again, err := run("", "policy", "show", "uploads", "--json")
	require.NoError(t, err)
	assert.JSONEq(t, out, again)

	_, err = run("", "policy", "remove", "uploads")
	require.NoError(t, err)
	assert.Equal(t, 403, status())
	out, err = run("", "policy", "show", "uploads", "--json")
	require.NoError(t, err)
	assert.Equal(t, "null\n", out)

	for _, x := range [][]string{
		{"nothing is neither a policy nor a file: policies are download, public, upload", "set", "uploads", "nothing"},
		{"- is no policy for bucket uploads: bucket name does not match", "set", "uploads", "-"},
		{"The specified bucket does not exist", "show", "absent"},
		{"The specified bucket does not exist", "set", "absent", "public"},
	} {
		_, err := run(strings.ReplaceAll(again, ":uploads", ":other"), append([]string{"policy"}, x[1:]...)...)
		require.ErrorContains(t, err, x[0])
	}
}

// A store that is not drydock up's has no keys for these commands.
func TestKeysOfAnotherStore(t *testing.T) {
	t.Parallel()
	_, run := ruledStore(t)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	_, err := run("", "keys", "list", "--endpoint", other.URL)
	require.ErrorContains(t, err, "it is no object store of drydock up")
	other.Close()
	_, err = run("", "keys", "list", "--endpoint", other.URL)
	require.ErrorContains(t, err, "is the object store up?")
}
