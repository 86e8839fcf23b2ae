package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3"
)

// away is a destination of events that takes none.
type away struct{}

func (away) Notify(context.Context, string, []byte) error { return errors.New("away") }

// objectStore is a store, a client for it, and what runs a command against it.
func objectStore(t *testing.T) (*minio.Client, *s3.Server, func(ctx context.Context, stdin io.Reader, out io.Writer, args ...string) error) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys.json"), []byte(`{"drydock": "drydock-secret"}`), 0o600))
	store, err := s3.Open(s3.Options{
		Dir: filepath.Join(dir, "s3"), NoSync: true, Keys: map[string]s3.Key{storeKey: {Secret: "drydock-secret"}},
		Notifiers: map[string]s3.Notifier{"arn:minio:sqs::PRIMARY:nats": away{}}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	server := httptest.NewServer(store)
	t.Cleanup(func() {
		store.EndListening()
		server.Close()
		require.NoError(t, store.Close())
	})
	c, err := minio.New(strings.TrimPrefix(server.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(storeKey, "drydock-secret", ""), Region: "us-east-1",
	})
	require.NoError(t, err)
	return c, store, func(ctx context.Context, stdin io.Reader, out io.Writer, args ...string) error {
		root := rootCommand(func(string) string { return "" })
		root.SetArgs(append([]string{"s3", "--endpoint", server.URL, "--dir", dir}, args...))
		root.SetIn(stdin)
		root.SetOut(out)
		root.SetErr(io.Discard)
		return root.ExecuteContext(ctx)
	}
}

func putText(t *testing.T, c *minio.Client, bucket, key, text string) {
	t.Helper()
	_, err := c.PutObject(t.Context(), bucket, key, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
	require.NoError(t, err)
}

func TestABucketIsKeptInAFileAndBroughtBack(t *testing.T) {
	t.Parallel()
	c, store, drydock := objectStore(t)
	require.NoError(t, store.CreateBucket("pictures"))
	putText(t, c, "pictures", "a", "one")
	putText(t, c, "pictures", "b", "two")
	file := filepath.Join(t.TempDir(), "pictures.tar")
	var out, archive bytes.Buffer
	require.NoError(t, drydock(t.Context(), nil, &out, "export", "pictures", "--output", file))
	require.Contains(t, out.String(), "pictures exported: 2 versions, 6 B")
	require.NoError(t, drydock(t.Context(), nil, &archive, "export", "pictures"))

	out.Reset()
	require.NoError(t, drydock(t.Context(), nil, &out, "import", "copy", file))
	require.Contains(t, out.String(), "copy imported: 2 versions, 6 B")
	out.Reset()
	require.NoError(t, drydock(t.Context(), bytes.NewReader(archive.Bytes()), &out, "import", "copy", "-", "--json"))
	require.JSONEq(t, `{"bucket": "copy", "versions": 0, "bytes": 0, "skipped": 2, "gone": 0}`, out.String())

	err := drydock(t.Context(), bytes.NewReader(archive.Bytes()[:archive.Len()-4000]), &out, "import", "part", "-")
	require.ErrorContains(t, err, "the archive is not whole")
	require.ErrorContains(t, err, "imported before that: 1 versions")

	require.Error(t, drydock(t.Context(), nil, &out, "export", "absent", "--output", filepath.Join(filepath.Dir(file), "absent.tar")))
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	require.Len(t, left, 1, "an export that fails leaves no file")
}

func TestEventsAreFollowed(t *testing.T) {
	t.Parallel()
	c, store, drydock := objectStore(t)
	require.NoError(t, store.CreateBucket("pictures"))
	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- drydock(ctx, nil, write, "events", "pictures", "--event", "put,delete", "--prefix", "in/", "--json")
	}()
	var first struct{ Records []notification.Event }
	got := make(chan error, 1)
	go func() { got <- json.NewDecoder(read).Decode(&first) }()
	tick := time.NewTicker(10 * time.Millisecond) // it cannot be known when it listens
	defer tick.Stop()
	for waiting := true; waiting; {
		putText(t, c, "pictures", "out/a", "x")
		putText(t, c, "pictures", "in/ä b", "x")
		select {
		case err := <-got:
			require.NoError(t, err)
			waiting = false
		case <-tick.C:
		case <-time.After(time.Minute):
			require.Fail(t, "nothing was told")
		}
	}
	require.Equal(t, "s3:ObjectCreated:Put", first.Records[0].EventName)
	require.Contains(t, eventLine(first.Records[0]), "ObjectCreated:Put                   pictures/in/ä b  1 B")
	go func() { _, _ = io.Copy(io.Discard, read) }()
	stop()
	require.NoError(t, <-done)
	_ = write.Close()
	require.ErrorContains(t, drydock(t.Context(), nil, io.Discard, "events", "--event", "move"), "takes put, delete, get and bucket")
}

func TestTheOutboxIsShown(t *testing.T) {
	t.Parallel()
	c, store, drydock := objectStore(t)
	require.NoError(t, store.CreateBucket("pictures"))
	var out bytes.Buffer
	require.NoError(t, drydock(t.Context(), nil, &out, "events", "--outbox"))
	require.Equal(t, "Nothing waits: all events have been accepted.\n", out.String())
	rule := notification.NewConfig(notification.NewArn("minio", "sqs", "", "PRIMARY", "nats"))
	rule.AddEvents(notification.ObjectCreatedAll)
	var all notification.Configuration
	all.AddQueue(rule)
	require.NoError(t, store.SetNotification("pictures", all))
	putText(t, c, "pictures", "a", "x")
	putText(t, c, "pictures", "b", "x")
	out.Reset()
	require.NoError(t, drydock(t.Context(), nil, &out, "events", "pictures", "--outbox"))
	require.Regexp(t, `(?m)^\S+Z  ObjectCreated:Put  pictures/a  arn:minio:sqs::PRIMARY:nats$`, out.String())
	require.Contains(t, out.String(), "pictures/b")
	out.Reset()
	require.NoError(t, drydock(t.Context(), nil, &out, "events", "other", "--outbox", "--json"))
	require.JSONEq(t, `{"waiting": 2, "events": []}`, out.String())
}

func TestS3CommandsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"there is no access key":            {"events", "--dir", t.TempDir()},
		"is not the URL of an object store": {"events", "--endpoint", "localhost:9000"},
		"accepts 1 arg(s), received 0":      {"export"},
		"accepts 2 arg(s), received 1":      {"import", "pictures"},
		"no such file or directory":         {"import", "pictures", filepath.Join(t.TempDir(), "absent.tar")},
	} {
		root := rootCommand(func(string) string { return "" })
		root.SetArgs(append([]string{"s3"}, args...))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		require.ErrorContains(t, root.ExecuteContext(t.Context()), says)
	}
}
