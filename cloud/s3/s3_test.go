package s3_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/cloudtest"
	"github.com/drydock/drydock/cloud/s3"
	emulated "github.com/drydock/drydock/emulator/s3"
)

const accessKey, secretKey = "drydock", "drydock-secret"

// buckets returns what opens a fresh bucket of the store at an address.
func buckets(address string) func(t *testing.T) cloud.Objects {
	var made atomic.Int32
	keys := credentials.NewStaticV4(accessKey, secretKey, "")
	return func(t *testing.T) cloud.Objects {
		t.Helper()
		client, err := minio.New(address, &minio.Options{Creds: keys})
		require.NoError(t, err)
		bucket := fmt.Sprintf("bucket-%d", made.Add(1))
		require.NoError(t, client.MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{}))
		objects, err := s3.Open("s3+http://"+address+"/"+bucket, keys)
		require.NoError(t, err)
		return objects
	}
}

func TestOnTheEmulator(t *testing.T) {
	t.Parallel()
	store, err := emulated.Open(emulated.Options{Dir: t.TempDir(), Keys: map[string]emulated.Key{accessKey: {Secret: secretKey}}})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	cloudtest.Objects(t, buckets(server.Listener.Addr().String()))
}

func TestOnTheRealMinIO(t *testing.T) {
	t.Parallel()
	cloudtest.Objects(t, buckets(startMinIO(t)))
}

// startMinIO runs the real program, which scripts/real.sh finds or builds, and
// returns its address.
func startMinIO(t *testing.T) string {
	t.Helper()
	var problems bytes.Buffer
	find := exec.Command("../../scripts/real.sh", "minio")
	find.Stderr = &problems
	program, err := find.Output()
	require.NoError(t, err, "scripts/real.sh minio: %s", &problems)

	listener, err := net.Listen("tcp", "127.0.0.1:0") // MinIO cannot tell which port it picked
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	var output bytes.Buffer
	server := exec.Command(strings.TrimSpace(string(program)), "server", t.TempDir(), "--address", address, "--console-address", "127.0.0.1:0")
	server.Env = append(server.Environ(), "MINIO_ROOT_USER="+accessKey, "MINIO_ROOT_PASSWORD="+secretKey, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "CI=true")
	server.Stdout, server.Stderr = &output, &output
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		assert.NoError(t, server.Process.Kill())
		server.Wait() // reports the kill
	})
	ready := func() bool {
		answer, err := http.Get("http://" + address + "/minio/health/ready")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}
	if !assert.Eventually(t, ready, time.Minute, 50*time.Millisecond) {
		t.Fatalf("MinIO did not start:\n%s", &output)
	}
	return address
}

func TestAWrongURLIsExplained(t *testing.T) {
	t.Parallel()
	for wrong, says := range map[string]string{
		"":                              "the URL must be",
		"http://host/bucket":            "the URL must be",
		"s3+http://host":                "the URL must be",
		"s3+http://host/a/b":            "the URL must be",
		"s3://bucket/folder":            "the URL must be",
		"s3+http://u:secret@host/b":     "credentials do not belong in the URL",
		"s3+http://ho st:99999/bucket/": "the URL must be",
	} {
		_, err := s3.Open(wrong, nil)
		require.ErrorContains(t, err, says, wrong)
		assert.NotContains(t, err.Error(), "secret")
	}
	for _, right := range []string{"s3+http://host:9000/bucket", "s3+https://host/bucket/", "s3://bucket?region=eu-west-1"} {
		objects, err := s3.Open(right, nil)
		require.NoError(t, err, right)
		assert.Equal(t, "bucket", objects.Bucket())
	}
}

func TestAnAbsentStoreOrBucketIsNotReady(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	objects, err := s3.Open("s3+http://127.0.0.1:1/bucket", credentials.NewStaticV4(accessKey, secretKey, ""))
	require.NoError(t, err)
	require.Error(t, objects.Ready(ctx))

	store, err := emulated.Open(emulated.Options{Dir: t.TempDir(), Keys: map[string]emulated.Key{accessKey: {Secret: secretKey}}})
	require.NoError(t, err)
	defer store.Close()
	server := httptest.NewServer(store)
	defer server.Close()
	objects, err = s3.Open("s3+http://"+server.Listener.Addr().String()+"/absent", credentials.NewStaticV4(accessKey, secretKey, ""))
	require.NoError(t, err)
	require.ErrorIs(t, objects.Ready(context.Background()), cloud.ErrNotFound)
	_, err = objects.Head(context.Background(), "a")
	require.Error(t, err)
}
