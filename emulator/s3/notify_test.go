package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"
)

const testARN = "arn:minio:sqs::PRIMARY:nats"

// inbox is a Notifier that keeps what it accepts and fails when it is told to.
type inbox struct {
	mu     sync.Mutex
	down   bool
	tried  int
	ids    []string
	events []eventLog
}

func (i *inbox) Notify(_ context.Context, id string, body []byte) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tried++
	if i.down {
		return errors.New("down")
	}
	var e eventLog
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	i.ids, i.events = append(i.ids, id), append(i.events, e)
	return nil
}

func (i *inbox) set(down bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.down = down
}

func (i *inbox) got() []eventLog {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]eventLog{}, i.events...)
}

func (i *inbox) attempts() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.tried
}

func rule(prefix, suffix string, events ...notification.EventType) notification.Configuration {
	c := notification.NewConfig(notification.NewArn("minio", "sqs", "", "PRIMARY", "nats"))
	c.AddEvents(events...)
	if prefix != "" {
		c.AddFilterPrefix(prefix)
	}
	if suffix != "" {
		c.AddFilterSuffix(suffix)
	}
	var n notification.Configuration
	n.AddQueue(c)
	return n
}

func notified(t *testing.T, dir string, n Notifier) (*endpoint, string) {
	t.Helper()
	return bucketed(t, Options{Dir: dir, NoSync: true, Notifiers: map[string]Notifier{testARN: n}})
}

func TestNotificationConfiguration(t *testing.T) {
	t.Parallel()
	e, b := notified(t, t.TempDir(), &inbox{})
	ctx := t.Context()
	c, err := e.GetBucketNotification(ctx, b)
	require.NoError(t, err)
	require.Empty(t, c.QueueConfigs)
	require.NoError(t, e.SetBucketNotification(ctx, b, rule("in/", ".png", notification.ObjectCreatedAll)))
	c, err = e.GetBucketNotification(ctx, b)
	require.NoError(t, err)
	require.Equal(t, testARN, c.QueueConfigs[0].Queue)
	require.True(t, c.QueueConfigs[0].Equal([]notification.EventType{notification.ObjectCreatedAll}, "in/", ".png"))

	bad := rule("", "", notification.ObjectCreatedAll)
	bad.QueueConfigs[0].Queue = "arn:minio:sqs::OTHER:nats"
	err = e.SetBucketNotification(ctx, b, bad)
	require.Equal(t, "InvalidArgument", codeOf(err))
	require.ErrorContains(t, err, "A specified destination ARN does not exist or is not well-formed. Verify the destination ARN.")
	require.ErrorIs(t, e.SetNotification(b, bad), errUnknownARN)
	require.Equal(t, "InvalidArgument", codeOf(e.SetBucketNotification(ctx, b, rule("", "", "s3:ObjectTagging:Put"))))
	twice := rule("", "", notification.ObjectAccessedAll)
	twice.QueueConfigs[0].Events = append(twice.QueueConfigs[0].Events, notification.ObjectAccessedAll)
	require.ErrorContains(t, e.SetBucketNotification(ctx, b, twice), "cannot share a common event type")
	same := rule("in/", "", notification.ObjectAccessedAll)
	same.QueueConfigs = append(same.QueueConfigs, same.QueueConfigs[0])
	require.ErrorContains(t, e.SetBucketNotification(ctx, b, same), "overlapping prefixes")
	require.NoError(t, e.SetBucketNotification(ctx, b, rule("", "", knownEvents()...)))
	require.Equal(t, "MalformedXML", codeOf(e.SetBucketNotification(ctx, b, rule("", ""))))
	var topic notification.Configuration
	topic.AddTopic(notification.NewConfig(notification.NewArn("minio", "sns", "", "PRIMARY", "nats")))
	require.Equal(t, "UnsupportedNotification", codeOf(e.SetBucketNotification(ctx, b, topic)))
	withRegion := rule("", "", notification.ObjectCreatedAll)
	withRegion.QueueConfigs[0].Queue = "arn:minio:sqs:us-east-1:PRIMARY:nats"
	require.NoError(t, e.SetNotification(b, withRegion))
	require.Error(t, e.SetNotification("absent", withRegion))
	require.NoError(t, e.RemoveAllBucketNotification(ctx, b))
}

func TestEventKindsAndShape(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	e, b := notified(t, t.TempDir(), in)
	ctx := t.Context()
	require.NoError(t, e.SetNotification(b, rule("in/", "", notification.ObjectCreatedAll, notification.ObjectRemovedAll)))
	key := "in/ä b+c.png"
	info, err := e.PutObject(ctx, b, key, strings.NewReader("data"), 4, minio.PutObjectOptions{
		ContentType: "image/png", UserMetadata: map[string]string{"Owner": "me"},
	})
	require.NoError(t, err)
	e.put(t, b, "elsewhere", "x")
	_, err = e.CopyObject(ctx, minio.CopyDestOptions{Bucket: b, Object: key + "2"}, minio.CopySrcOptions{Bucket: b, Object: key})
	require.NoError(t, err)
	big := randomBytes(t, 6<<20)
	_, err = e.PutObject(ctx, b, "in/big", bytes.NewReader(big), int64(len(big)), minio.PutObjectOptions{PartSize: 5 << 20})
	require.NoError(t, err)
	r := e.postForm(t, b, form{conditions: []any{[]string{"starts-with", "$key", ""}}, fields: [][2]string{{"key", "in/post"}}, data: "x"})
	require.Equal(t, 204, r.status)
	require.NoError(t, e.RemoveObject(ctx, b, key, minio.RemoveObjectOptions{}))
	require.NoError(t, e.RemoveObject(ctx, b, key, minio.RemoveObjectOptions{}), "nothing is removed, and it is told")
	eventually(t, func() bool { return len(in.got()) >= 6 }, "six events")
	byName := map[string]eventLog{}
	for _, ev := range in.got() {
		byName[ev.EventName] = ev
	}
	require.Len(t, in.got(), 6)
	for _, name := range []string{"s3:ObjectRemoved:NoOP", "s3:ObjectCreated:Put", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload", "s3:ObjectCreated:Post", "s3:ObjectRemoved:Delete"} {
		require.Contains(t, byName, name)
	}
	put := byName["s3:ObjectCreated:Put"]
	require.Equal(t, b+"/"+key, put.Key)
	rec := put.Records[0]
	require.Equal(t, "2.0", rec.EventVersion)
	require.Equal(t, "minio:s3", rec.EventSource)
	require.Equal(t, "us-east-1", rec.AwsRegion)
	require.Equal(t, put.EventName, rec.EventName)
	_, err = time.Parse("2006-01-02T15:04:05.000Z", rec.EventTime)
	require.NoError(t, err)
	require.Equal(t, testKey, rec.UserIdentity.PrincipalID)
	require.Equal(t, map[string]string{"principalId": testKey, "region": "us-east-1", "sourceIPAddress": "127.0.0.1"}, rec.RequestParameters)
	require.NotEmpty(t, rec.ResponseElements["x-amz-request-id"])
	require.Equal(t, "1.0", rec.S3.SchemaVersion)
	require.Equal(t, "arn:aws:s3:::"+b, rec.S3.Bucket.ARN)
	require.Equal(t, "in%2F%C3%A4+b%2Bc.png", rec.S3.Object.Key)
	require.EqualValues(t, 4, rec.S3.Object.Size)
	require.Equal(t, info.ETag, rec.S3.Object.ETag)
	require.Equal(t, "image/png", rec.S3.Object.ContentType)
	require.Equal(t, map[string]string{"X-Amz-Meta-Owner": "me", "content-type": "image/png"}, rec.S3.Object.UserMetadata)
	require.Less(t, rec.S3.Object.Sequencer, byName["s3:ObjectRemoved:Delete"].Records[0].S3.Object.Sequencer)
	require.Equal(t, "127.0.0.1", rec.Source.Host)
	require.Contains(t, rec.Source.UserAgent, "minio-go")
	require.Empty(t, byName["s3:ObjectRemoved:Delete"].Records[0].S3.Object.ETag)
}

func TestEventsWaitForTheirDestination(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := &inbox{down: true}
	const n = 50
	t.Run("down", func(t *testing.T) {
		e, b := notified(t, dir, in)
		require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectCreatedPut)))
		for i := range n {
			e.put(t, b, fmt.Sprintf("k%d", i%5), fmt.Sprint(i))
		}
		eventually(t, func() bool { return in.attempts() > 5 }, "attempts")
		require.Empty(t, in.got())
	})
	t.Run("not configured", func(t *testing.T) {
		e, b := bucketed(t, Options{Dir: dir, NoSync: true})
		e.put(t, b, "k0", "meanwhile")
	})
	in.set(false)
	t.Run("up", func(t *testing.T) {
		notified(t, dir, in)
		eventually(t, func() bool { return len(in.got()) == n+1 }, "all events")
		last := map[string]string{}
		for _, ev := range in.got() {
			seq := ev.Records[0].S3.Object.Sequencer
			require.Less(t, last[ev.Key], seq, "the order of a key is kept")
			last[ev.Key] = seq
		}
	})
	t.Run("accepted once", func(t *testing.T) {
		e, b := notified(t, dir, in)
		e.put(t, b, "other", "x")
		eventually(t, func() bool { return len(in.got()) == n+2 }, "the new event only")
	})
	names, err := readNames(filepath.Join(dir, "log"))
	require.NoError(t, err)
	require.Empty(t, names, "nothing is kept once all is delivered")
}

// The log is rotated and let go of while events wait.
func TestLogSegmentsAreRetired(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := &inbox{down: true}
	e, b := notified(t, dir, in)
	require.NoError(t, e.SetNotification(b, rule("wait/", "", notification.ObjectCreatedPut)))
	bk, err := e.st.bucket(b)
	require.NoError(t, err)
	e.put(t, b, "wait/1", "x")
	// Fill segments without the cost of objects.
	filler := make([]*record, 64)
	for i := range filler {
		filler[i] = &record{Op: opDelete, Bucket: b, Key: strings.Repeat("f", 900) + fmt.Sprint(i)}
	}
	for range 3 * segmentLimit / (64 * 900) {
		places, err := e.st.j.append(filler...)
		require.NoError(t, err)
		for _, p := range places {
			p.seg.applied(bk.objects)
		}
	}
	exts := func() map[string]int {
		names, err := readNames(filepath.Join(dir, "log"))
		require.NoError(t, err)
		m := map[string]int{}
		for _, n := range names {
			m[filepath.Ext(n)]++
		}
		return m
	}
	require.Equal(t, map[string]int{".events": 1, ".log": 1}, exts())
	in.set(false)
	eventually(t, func() bool { return len(in.got()) == 1 }, "the event")
	eventually(t, func() bool { return len(exts()) == 1 }, "the segment is gone")
}

// natsd is a real nats-server that can be stopped and started again.
func natsd(t *testing.T, dir string, port int) *natsserver.Server {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(10*time.Second))
	return s
}

func TestJetStreamDelivery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := natsd(t, dir, -1)
	nc, err := nats.Connect(srv.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	stream, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "objects", Subjects: []string{"objects.created"}})
	require.NoError(t, err)

	e, b := notified(t, t.TempDir(), JetStream(js, "objects.created"))
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectCreatedAll)))
	e.put(t, b, "one", "x")
	count := func() uint64 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		info, err := stream.Info(ctx)
		if err != nil {
			return 0
		}
		return info.State.Msgs
	}
	eventually(t, func() bool { return count() == 1 }, "the first event")
	msg, err := stream.GetMsg(t.Context(), 1)
	require.NoError(t, err)
	require.NotEmpty(t, msg.Header.Get(jetstream.MsgIDHeader))
	require.Contains(t, string(msg.Data), `"EventName":"s3:ObjectCreated:Put","Key":"uploads/one"`)

	// The same id again is dropped by the stream.
	require.NoError(t, JetStream(js, "objects.created").Notify(t.Context(), msg.Header.Get(jetstream.MsgIDHeader), msg.Data))
	require.EqualValues(t, 1, count())

	port := srv.Addr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Port()
	srv.Shutdown()
	srv.WaitForShutdown()
	for i := range 5 {
		e.put(t, b, fmt.Sprintf("while down %d", i), "x")
	}
	srv = natsd(t, dir, int(port))
	defer func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}()
	eventually(t, func() bool { return count() == 6 }, "the events of the outage")
}
