package jobs_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/s3"
	"github.com/drydock/drydock/emulator/conformance/parity"
)

func TestObjectsOnTheEmulator(t *testing.T) {
	t.Parallel()
	testObjects(t, emulated(t, "127.0.0.1"))
}

func TestObjectsOnTheRealCluster(t *testing.T) {
	t.Parallel()
	testObjects(t, real(t))
}

// testObjects runs the object store before the event bus, which it finds when that comes.
func testObjects(t *testing.T, c cluster) {
	bus := natsVariables(t)
	items := map[string]string{
		"root_user": "root", "root_password": `root-"password"&<>`,
		"bus_address": "127.0.0.1:" + bus["client_port"], "bus_password": natsItems["minio"],
		"key_uploads": "uploads-key", "key_images": "images-key",
	}
	c.put(t, "minio", items)
	c.deploy(t, "minio", map[string]string{
		"binary": program(t, "minio"), "mc": program(t, "mc"), "api_port": fmt.Sprint(parity.FreePorts(t, 1)[0]),
	})
	address := c.address(t, "minio")
	uploads, images := bucket(t, address, "uploads", "uploads-key"), bucket(t, address, "images", "images-key")
	require.NoError(t, uploads.Ready(t.Context()))

	const photograph, variant = "incoming/ann/1/cat.jpg", "processed/ann/1/small.jpg"
	upload(t, uploads, photograph)
	require.NoError(t, write(t, images, variant))
	assert.Equal(t, "picture", read(t, images, photograph))
	assert.Equal(t, "picture", read(t, uploads, variant))
	assert.Len(t, list(t, uploads), 2)
	isRefused(t, write(t, images, photograph), "the worker replaces a photograph")
	isRefused(t, write(t, uploads, variant), "the API makes a variant")
	isRefused(t, write(t, uploads, "elsewhere/cat.jpg"), "the API writes elsewhere")
	isRefused(t, client(t, address, "images", "images-key").MakeBucket(t.Context(), "more", minio.MakeBucketOptions{}), "the worker makes a bucket")
	isRefused(t, client(t, address, "images", "images-key").RemoveBucket(t.Context(), "uploads"), "the worker removes the bucket")
	_, err := client(t, address, "images", "images-key").GetBucketNotification(t.Context(), "uploads")
	isRefused(t, err, "the worker looks who is told")
	_, err = client(t, address, "images", "uploads-key").BucketExists(t.Context(), "uploads")
	require.Error(t, err, "with another's key")
	mayUpload(t, "http://"+address+"/uploads")

	c.put(t, "nats", natsItems)
	c.deploy(t, "nats", bus)
	worker := natsAt(c.address(t, "nats"), "images", natsItems["images"])
	require.NoError(t, openBus(t, worker).Declare(t.Context(), "objects"))
	isTold(t, worker, 1, photograph)
	upload(t, uploads, "incoming/ann/2/dog.jpg")
	isTold(t, worker, 2, "incoming/ann/2/dog.jpg")

	items["key_images"] = "another-key"
	c.put(t, "minio", items)
	eventually(t, "the new key opens what the old one did", func() error {
		_, err := bucket(t, address, "images", "another-key").Head(t.Context(), photograph)
		return err
	})
	require.Error(t, images.Ready(t.Context()), "the old key")

	c.restart(t, "minio") // prepares again, too
	eventually(t, "the photograph is there after a restart", func() error {
		_, err := uploads.Head(t.Context(), photograph)
		return err
	})
	// MinIO answers before it has read its rules again, and tells nobody of what
	// comes in between: the uploads API sweeps for that.
	js, birds := jetStream(t, worker), 0
	eventually(t, "the worker is told of photographs after a restart", func() error {
		birds++
		upload(t, uploads, fmt.Sprintf("incoming/ann/3/bird%d.jpg", birds))
		return told(t, js, 3, "incoming/ann/3/bird")
	})
}

// client speaks to the store with a role's key.
func client(t *testing.T, address, role, key string) *minio.Client {
	t.Helper()
	c, err := minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(role, key, ""), Region: "us-east-1"})
	require.NoError(t, err)
	return c
}

// bucket is the bucket of the roles as one of them has it.
func bucket(t *testing.T, address, role, key string) *s3.Objects {
	t.Helper()
	objects, err := s3.Open("s3+http://"+address+"/uploads", credentials.NewStaticV4(role, key, ""))
	require.NoError(t, err)
	return objects
}

func write(t *testing.T, objects *s3.Objects, key string) error {
	_, err := objects.Put(t.Context(), key, strings.NewReader("picture"), 7, cloud.PutOptions{ContentType: "image/jpeg"})
	return err
}

func read(t *testing.T, objects *s3.Objects, key string) string {
	t.Helper()
	body, _, err := objects.Get(t.Context(), key)
	require.NoError(t, err)
	defer body.Close()
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	return string(text)
}

func list(t *testing.T, objects *s3.Objects) (keys []string) {
	t.Helper()
	for object, err := range objects.List(t.Context(), "", "") {
		require.NoError(t, err)
		keys = append(keys, object.Key)
	}
	return keys
}

// upload sends a photograph as a browser does, with what the uploads API has signed.
func upload(t *testing.T, objects *s3.Objects, key string) {
	t.Helper()
	signed, err := objects.SignPut(t.Context(), cloud.Grant{
		Key: key, Size: 7, ContentType: "image/jpeg", Expires: time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, strings.NewReader("picture"))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "image/jpeg")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
}

// mayUpload asks as a browser does whether a page of another origin may upload.
func mayUpload(t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, url, nil)
	require.NoError(t, err)
	request.Header.Set("Origin", "http://photos.example.com")
	request.Header.Set("Access-Control-Request-Method", http.MethodPost)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	assert.Contains(t, []string{"*", "http://photos.example.com"}, response.Header.Get("Access-Control-Allow-Origin"))
}

func isRefused(t *testing.T, err error, what string) {
	t.Helper()
	var answer minio.ErrorResponse
	if assert.ErrorAs(t, err, &answer, what) {
		assert.Equal(t, minio.AccessDenied, answer.Code, what)
	}
}

// isTold waits for so many notifications, the last of which is of the key.
func isTold(t *testing.T, address string, count uint64, key string) {
	t.Helper()
	js := jetStream(t, address)
	eventually(t, "the worker is told of "+key, func() error { return told(t, js, count, key) })
}

// told wants a notification of that number to be there, and to be of a key that
// begins so.
func told(t *testing.T, js jetstream.JetStream, number uint64, key string) error {
	t.Helper()
	stream, err := js.Stream(t.Context(), "objects")
	if err != nil {
		return err
	}
	message, err := stream.GetMsg(t.Context(), number)
	if err != nil {
		return err
	}
	if !strings.Contains(string(message.Data), strings.ReplaceAll(key, "/", "%2F")) {
		return errors.New("it was told of another: " + string(message.Data))
	}
	return nil
}
