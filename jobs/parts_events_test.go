package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator/conformance/parity"
)

// natsItems are the passwords of the users of NATS.
var natsItems = map[string]string{
	"system": "system-password", "routes": "routes-password", "minio": "minio-password",
	"uploads": "uploads-password", "images": `images-"password"&<>`, "quotes": "quotes-password",
}

// natsAt is where a user with the password finds NATS.
func natsAt(address, user, password string) string {
	return (&url.URL{Scheme: "nats", User: url.UserPassword(user, password), Host: address}).String()
}

func TestEventsOnTheEmulator(t *testing.T) {
	t.Parallel()
	testEvents(t, emulated(t, "127.0.0.1"))
}

func TestEventsOnTheRealCluster(t *testing.T) {
	t.Parallel()
	testEvents(t, real(t))
}

// natsVariables are those of a server with ports that nobody else has.
func natsVariables(t *testing.T) map[string]string {
	ports := parity.FreePorts(t, 3)
	return map[string]string{
		"binary": program(t, "nats-server"), "client_port": fmt.Sprint(ports[0]),
		"cluster_port": fmt.Sprint(ports[1]), "monitor_port": fmt.Sprint(ports[2]),
	}
}

func testEvents(t *testing.T, c cluster) {
	c.put(t, "nats", natsItems)
	c.deploy(t, "nats", natsVariables(t))
	address := c.address(t, "nats")

	_, err := natsgo.Connect("nats://" + address)
	require.ErrorIs(t, err, natsgo.ErrAuthorization, "without a password")
	_, err = natsgo.Connect(natsAt(address, "quotes", "uploads-password"))
	require.ErrorIs(t, err, natsgo.ErrAuthorization, "with another's password")

	uploads := openBus(t, natsAt(address, "uploads", natsItems["uploads"]))
	require.NoError(t, uploads.Publish(t.Context(), contract.TopicObjectsCreated, cloud.Event{
		ID: "one", Source: "/test", Type: "test", Data: []byte("{}"),
	}))
	require.NoError(t, uploads.Close())

	store := jetStream(t, natsAt(address, "minio", natsItems["minio"]))
	_, err = store.Publish(t.Context(), contract.TopicObjectsCreated, []byte("{}"))
	require.NoError(t, err, "the object store tells of what arrives")
	for _, subject := range []string{"images.processed.ann", "$KV.uploads.ann", "$JS.API.STREAM.DELETE.objects"} {
		assert.Error(t, published(store, subject), "the object store publishes to %s", subject)
	}
	quotes := jetStream(t, natsAt(address, "quotes", natsItems["quotes"]))
	for _, subject := range []string{"objects.created", "$JS.API.STREAM.INFO.objects", "$JS.API.STREAM.DELETE.quotes"} {
		assert.Error(t, published(quotes, subject), "quotes publishes to %s", subject)
	}
	for _, subject := range []string{"_INBOX.>", "_INBOX_images.>", "objects.created"} {
		assert.ErrorIs(t, subscribed(t, quotes, subject), natsgo.ErrPermissionViolation, "quotes reads %s", subject)
	}
	assert.NoError(t, subscribed(t, quotes, "_INBOX_quotes.>"))

	c.restart(t, "nats")
	assert.Equal(t, 2, eventsKept(t, natsAt(c.address(t, "nats"), "images", natsItems["images"])), "after a restart")

	began := c.began(t, c.allocation(t, "nats").ID)
	changed := map[string]string{"images": "another-password", "system": "system-password"}
	c.put(t, "nats", changed)
	eventually(t, "the new password is taken", func() error {
		connection, err := natsgo.Connect(natsAt(address, "images", changed["images"]))
		if err == nil {
			connection.Close()
		}
		return err
	})
	_, err = natsgo.Connect(natsAt(address, "images", natsItems["images"]))
	require.ErrorIs(t, err, natsgo.ErrAuthorization, "the old password")
	assert.Equal(t, began, c.began(t, c.allocation(t, "nats").ID), "by a reload, not a restart")
}

func openBus(t *testing.T, address string) *nats.Bus {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	bus, err := nats.OpenBus(ctx, address)
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	return bus
}

func jetStream(t *testing.T, address string) jetstream.JetStream {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	options := []natsgo.Option{natsgo.PermissionErrOnSubscribe(true)}
	if user := u.User.Username(); user != "minio" {
		options = append(options, natsgo.CustomInboxPrefix("_INBOX_"+user))
	}
	connection, err := natsgo.Connect(address, options...)
	require.NoError(t, err)
	t.Cleanup(connection.Close)
	js, err := jetstream.New(connection)
	require.NoError(t, err)
	return js
}

// published asks for an answer to a message, which one without the right to
// send it never gets.
func published(js jetstream.JetStream, subject string) error {
	connection := js.Conn()
	_, err := connection.Request(subject, []byte("{}"), time.Second)
	return errors.Join(err, connection.LastError())
}

// subscribed is what the server says to one that wants to read a subject.
func subscribed(t *testing.T, js jetstream.JetStream, subject string) error {
	t.Helper()
	connection := js.Conn()
	subscription, err := connection.SubscribeSync(subject)
	require.NoError(t, err)
	require.NoError(t, connection.Flush())
	_, err = subscription.NextMsg(time.Millisecond)
	if errors.Is(err, natsgo.ErrTimeout) {
		return nil
	}
	return err
}

// eventsKept counts what the stream objects holds.
func eventsKept(t *testing.T, address string) int {
	t.Helper()
	stream, err := jetStream(t, address).Stream(t.Context(), "objects")
	require.NoError(t, err)
	return int(stream.CachedInfo().State.Msgs)
}
