package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/signer"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/conformance/parity"
)

const (
	someKey    = "somebody"
	someSecret = "somebody-secret"
)

// policies are those that somebody has, one after another.
var policies = map[string]string{
	"read":              `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}`,
	"read and list":     `{"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"]}`,
	"read versions":     `{"Effect": "Allow", "Action": "s3:GetObjectVersion", "Resource": "arn:aws:s3:::bucket/*"}`,
	"locate":            `{"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": "arn:aws:s3:::bucket"}`,
	"list by objects":   `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket/*"}`,
	"list versions":     `{"Effect": "Allow", "Action": "s3:ListBucketVersions", "Resource": "arn:aws:s3:::bucket"}`,
	"list a prefix":     `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket", "Condition": {"StringLike": {"s3:prefix": "a/*"}}}`,
	"list a few":        `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket", "Condition": {"NumericLessThanEquals": {"s3:max-keys": "10"}}}`,
	"list all buckets":  `{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::*"}`,
	"write":             `{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::bucket/*"}`,
	"remove below a":    `{"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::bucket/a/*"}`,
	"remove versions":   `{"Effect": "Allow", "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::bucket/*"}`,
	"all but removing":  `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}, {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::*"}`,
	"all but a version": `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}, {"Effect": "Deny", "Action": "s3:DeleteObjectVersion", "Resource": "arn:aws:s3:::*"}`,
	"not these":         `{"Effect": "Allow", "NotAction": "s3:PutObject", "NotResource": "arn:aws:s3:::bucket/a/*"}`,
	"by name":           `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/${aws:username}/*"}`,
	"from here":         `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}`,
	"from elsewhere":    `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}}}`,
	"in secret":         `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`,
	"of a tag":          `{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*", "Condition": {"StringEquals": {"s3:ExistingObjectTag/class": "open"}}}`,
	"configure":         `{"Effect": "Allow", "Action": ["s3:GetBucket*", "s3:GetLifecycle*", "s3:GetEncryption*"], "Resource": "arn:aws:s3:::bucket"}`,
	"attributes":        `{"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectAttributes"], "Resource": "arn:aws:s3:::bucket/*"}`,
}

// asked are the requests that somebody makes, and nobody; "METHOD path", and
// what a PUT copies. None changes what the others meet.
var asked = []string{
	"GET /", "GET /bucket", "GET /bucket?prefix=a%2F", "GET /bucket?max-keys=5", "GET /bucket?list-type=2&prefix=a%2F", "GET /bucket?versions=",
	"GET /bucket?uploads=", "HEAD /bucket", "GET /bucket?location=", "GET /bucket?policy=", "GET /bucket?tagging=",
	"GET /bucket?acl=", "GET /bucket?lifecycle=", "GET /bucket?encryption=", "GET /bucket?versioning=", "GET /bucket?notification=", "GET /absent", "HEAD /absent", "GET /absent/key",
	"GET /bucket/a/1", "HEAD /bucket/a/1", "GET /bucket/a/1?versionId=null", "GET /bucket/b", "GET /bucket/absent", "GET /bucket/a/1?tagging=", "GET /bucket/a/1?attributes=",
	"GET /bucket/a/1?acl=", "PUT /bucket/b", "PUT /bucket/a/copy bucket/a/1", "PUT /bucket/a/copy absent/key", "PUT /bucket/somebody/1",
	"POST /bucket/a/parts?uploads=", "PUT /absent/key", "PUT /absent?policy=", "DELETE /bucket/absent", "DELETE /bucket/a/absent", "DELETE /bucket/a/absent?versionId=null", "DELETE /absent",
}

// ask sends a request of somebody, or of nobody without a key, and returns what
// it comes to.
func ask(t *testing.T, address, key, what string) string {
	t.Helper()
	f := strings.Fields(what)
	var body []byte
	switch {
	case what == "PUT /absent?policy=":
		body = []byte("{}")
	case f[0] == http.MethodPut && len(f) == 2:
		body = []byte("data")
	}
	req, err := http.NewRequestWithContext(t.Context(), f[0], "http://"+address+f[1], bytes.NewReader(body))
	require.NoError(t, err)
	sum := sha256.Sum256(body)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	if strings.Contains(f[1], "?attributes") {
		req.Header.Set("X-Amz-Object-Attributes", "ETag")
	}
	if len(f) == 3 {
		req.Header.Set("X-Amz-Copy-Source", f[2])
	}
	if key != "" {
		req = signer.SignV4(*req, key, someSecret, "", "us-east-1")
	}
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var told struct {
		XMLName xml.Name
		Code    string
		Buckets []string `xml:"Buckets>Bucket>Name"`
	}
	_ = xml.Unmarshal(text, &told) // bodies of objects are no XML
	return strings.TrimSpace(fmt.Sprint(what, ": ", answer.StatusCode, " ", told.Code, strings.Join(told.Buckets, " ")))
}

func askAll(t *testing.T, address, key string) []string {
	t.Helper()
	var all []string
	for _, what := range asked {
		all = append(all, ask(t, address, key, what))
	}
	return all
}

// fill makes what is asked for, as the root of a store.
func fill(t *testing.T, address string) *minio.Client {
	t.Helper()
	c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Region: "us-east-1"})
	require.NoError(t, err)
	for _, bucket := range []string{"bucket", "other"} {
		require.NoError(t, c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}))
	}
	for key, tags := range map[string]map[string]string{"a/1": {"class": "open"}, "b": nil} {
		_, err := c.PutObject(t.Context(), "bucket", key, strings.NewReader("data"), 4, minio.PutObjectOptions{UserTags: tags})
		require.NoError(t, err)
	}
	return c
}

func document(statements string) string {
	return `{"Version": "2012-10-17", "Statement": [` + statements + `]}`
}

// A key with a policy gets what it gets from the real MinIO.
func TestParityOfKeysWithPolicies(t *testing.T) {
	t.Parallel()
	real, emulated := startBoth(t)
	fill(t, real)
	fill(t, emulated)
	mc := administrator(t, real)
	mc(someKey+"\n"+someSecret+"\n", "admin", "user", "add", "real")
	first := true
	for name, statements := range policies {
		file := filepath.Join(t.TempDir(), "policy.json")
		require.NoError(t, os.WriteFile(file, []byte(document(statements)), 0o600))
		mc("", "admin", "policy", "create", "real", "some", file)
		if first {
			mc("", "admin", "policy", "attach", "real", "some", "--user", someKey)
			emulatedKey(t, emulated, http.MethodPut, "", `{"secret": "`+someSecret+`", "policy": `+document(statements)+`}`)
		} else {
			emulatedKey(t, emulated, http.MethodPut, "/policy", document(statements))
		}
		first = false
		assert.Equal(t, askAll(t, real, someKey), askAll(t, emulated, someKey), name)
	}
}

// administrator runs mc on a real MinIO that it knows as real.
func administrator(t *testing.T, address string) func(stdin string, args ...string) {
	t.Helper()
	program, home := realProgram(t, "mc"), t.TempDir()
	run := func(stdin string, args ...string) {
		t.Helper()
		mc := exec.CommandContext(t.Context(), program, args...)
		mc.Env = append(os.Environ(), "HOME="+home, "MC_CONFIG_DIR="+home)
		mc.Stdin = strings.NewReader(stdin)
		said, err := mc.CombinedOutput()
		require.NoError(t, err, "mc %v: %s", args, said)
	}
	run(accessKey+"\n"+secretKey+"\n", "alias", "set", "real", "http://"+address)
	return run
}

// emulatedKey makes somebody's key, or changes its policy.
func emulatedKey(t *testing.T, address, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+"/minio/drydock/keys/"+someKey+path, strings.NewReader(body))
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(body))
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	answer, err := http.DefaultClient.Do(signer.SignV4(*req, accessKey, secretKey, "", "us-east-1"))
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
}

// Who has no key gets what a bucket's policy gives on the real MinIO.
func TestParityOfBucketPolicies(t *testing.T) {
	t.Parallel()
	real, emulated := startBoth(t)
	stores := map[string]*minio.Client{real: fill(t, real), emulated: fill(t, emulated)}
	for name, statements := range policies {
		switch name {
		case "list all buckets", "not these", "list by objects", "by name", "in secret":
			continue // not for a bucket, or refused in other words
		case "all but a version":
			continue // MinIO lets nobody's deletion of a version pass what denies it
		}
		statements = strings.ReplaceAll(statements, "arn:aws:s3:::*", "*")
		statements = strings.ReplaceAll(statements, `"Effect"`, `"Principal": "*", "Effect"`)
		var said []string
		for _, address := range []string{real, emulated} {
			err := stores[address].SetBucketPolicy(t.Context(), "bucket", document(statements))
			said = append(said, fmt.Sprint(err))
		}
		require.Equal(t, said[0], said[1], name)
		assert.Equal(t, askAll(t, real, ""), askAll(t, emulated, ""), name)
	}
}

// mc sets, shows and lists what everybody may do.
func TestParityOfAnonymous(t *testing.T) {
	t.Parallel()
	compareCommands(t, realProgram(t, "mc"), "mc", func(address string) []string {
		return []string{"MC_HOST_s3=http://" + accessKey + ":" + secretKey + "@" + address, "MC_HOST_nobody=http://" + address}
	}, []parity.Command{
		{Line: "mc mb s3/harbour && mc cp hello.txt s3/harbour/dir/hello.txt"},
		{Line: "mc anonymous get s3/harbour"},
		{Line: "mc cat nobody/harbour/dir/hello.txt"},
		// The actions of a policy come in any order.
		{Line: "mc anonymous set download s3/harbour && mc anonymous get s3/harbour && mc anonymous get-json s3/harbour | tr '[],' '\\n\\n\\n'", Sorted: true},
		{Line: "mc cat nobody/harbour/dir/hello.txt && mc ls nobody/harbour/dir/"},
		{Line: "mc cp hello.txt nobody/harbour/dir/other.txt"},
		{Line: "mc anonymous links s3/harbour | sed 's/:[0-9]*//2'", Numbers: true},
		{Line: "mc anonymous set upload s3/harbour && mc anonymous get s3/harbour"},
		{Line: "mc cp hello.txt nobody/harbour/dir/other.txt; mc cat nobody/harbour/dir/hello.txt"},
		{Line: "mc anonymous set public s3/harbour && mc anonymous get s3/harbour && mc --json anonymous get s3/harbour | tr '[],' '\\n\\n\\n'", Sorted: true},
		{Line: "mc rm nobody/harbour/dir/other.txt && mc ls nobody/harbour/dir/"},
		{Line: "mc anonymous set private s3/harbour && mc anonymous get s3/harbour && mc ls nobody/harbour"},
		{Line: "mc anonymous set download s3/harbour/dir && mc anonymous list s3/harbour && mc anonymous get s3/harbour/dir"},
		{Line: "mc cat nobody/harbour/dir/hello.txt && mc ls nobody/harbour"},
		{Line: "mc anonymous get-json s3/harbour > policy.json && mc anonymous set private s3/harbour/dir && mc anonymous set-json policy.json s3/harbour && mc anonymous list s3/harbour"},
		{Line: "echo '{}' > policy.json && mc anonymous set-json policy.json s3/harbour"},
		{Line: "mc anonymous set download s3/missing"},
	})
}
