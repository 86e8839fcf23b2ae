package s3

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// listening waits until n listen.
func (e *endpoint) listening(t testing.TB, n int32) {
	t.Helper()
	eventually(t, func() bool { return e.hub.count.Load() == n }, "listeners")
}

// listened is what comes in as an event's name and key.
func listened(t testing.TB, in <-chan notification.Info) string {
	t.Helper()
	got := <-in
	require.NoError(t, got.Err)
	require.Len(t, got.Records, 1)
	return strings.TrimPrefix(got.Records[0].EventName, "s3:") + " " + got.Records[0].S3.Bucket.Name + "/" + got.Records[0].S3.Object.Key
}

func TestListenBucketNotification(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	require.NoError(t, e.CreateBucket("other"))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	all := []string{"s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectAccessed:*"}
	in := e.ListenBucketNotification(ctx, b, "in/", ".txt", all)
	everywhere := e.ListenNotification(ctx, "", "", []string{"s3:BucketCreated:*", "s3:BucketRemoved:*", "s3:ObjectRemoved:*"})
	e.listening(t, 2)
	for _, key := range []string{"out/a.txt", "in/a.png", "in/a.txt"} {
		e.put(t, b, key, "x")
	}
	e.put(t, "other", "in/a.txt", "x")
	require.Equal(t, "x", e.read(t, b, "in/a.txt"))
	_, err := e.StatObject(ctx, b, "in/a.txt", minio.StatObjectOptions{})
	require.NoError(t, err)
	_, err = e.StatObject(ctx, b, "in/none.txt", minio.StatObjectOptions{})
	require.Error(t, err)
	for range 2 {
		require.NoError(t, e.RemoveObject(ctx, b, "in/a.txt", minio.RemoveObjectOptions{}))
	}
	for _, want := range []string{"ObjectCreated:Put", "ObjectAccessed:Get", "ObjectAccessed:Head", "ObjectRemoved:Delete", "ObjectRemoved:NoOP"} {
		require.Equal(t, want+" uploads/in%2Fa.txt", listened(t, in))
	}
	require.NoError(t, e.MakeBucket(ctx, "new-one", minio.MakeBucketOptions{}))
	require.NoError(t, e.RemoveBucket(ctx, "new-one"))
	for _, want := range []string{
		"ObjectRemoved:Delete uploads/in%2Fa.txt", "ObjectRemoved:NoOP uploads/in%2Fa.txt",
		"BucketCreated:* new-one/", "BucketRemoved:* new-one/",
	} {
		require.Equal(t, want, listened(t, everywhere))
	}
	stop()
	e.listening(t, 0)
	for _, c := range []<-chan notification.Info{in, everywhere} {
		for range c { // until the client has given up
		}
	}
}

func TestListeningIsRefused(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	const created = "events=s3%3AObjectCreated%3A%2A"
	for query, want := range map[string]string{
		"/" + b + "?events=":                             "InvalidArgument",
		"/" + b + "?events=s3%3AObjectTagging%3APut":     "InvalidArgument",
		"/" + b + "?" + created + "&prefix=a&prefix=b":   "InvalidArgument",
		"/" + b + "?" + created + "&ping=0":              "AuthorizationQueryParametersError",
		"/" + b + "?" + created + "&ping=x":              "AuthorizationQueryParametersError",
		"/" + b + "?" + created + "&ping=99999999999999": "AuthorizationQueryParametersError",
		"/absent?" + created:                             "NoSuchBucket",
	} {
		r := e.signed(t, "GET", query, nil)
		require.Equal(t, want, r.code(t), query)
	}
	require.Zero(t, e.hub.count.Load())
}

// A listener is written to while nothing happens, and let go of by EndListening.
func TestListenersAreKeptAlive(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	open := func(query string) *bufio.Reader {
		req := e.sign(t, e.request(t, "GET", "/"+b+"?events=s3%3AObjectCreated%3A%2A"+query, nil), unsignedPayload)
		resp, err := e.http.Do(req)
		require.NoError(t, err)
		t.Cleanup(func() { _ = resp.Body.Close() })
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
		return bufio.NewReader(resp.Body)
	}
	spaces, pings := open(""), open("&ping=1")
	c, err := spaces.ReadByte()
	require.NoError(t, err)
	require.Equal(t, byte(' '), c)
	line, err := pings.ReadString('\n')
	require.NoError(t, err)
	var info notification.Info
	require.NoError(t, json.Unmarshal([]byte(line), &info))
	require.Empty(t, info.Records)
	e.EndListening()
	e.EndListening()
	_, err = spaces.ReadString('\n')
	require.Error(t, err)
	e.listening(t, 0)
}

// One that does not keep up is let go of, and holds up nobody.
func TestSlowListener(t *testing.T) {
	t.Parallel()
	h := newHub()
	slow := &listener{rule: notification.Config{Events: []notification.EventType{notification.ObjectCreatedAll}}, queue: make(chan []byte, 2), behind: make(chan struct{})}
	quick := &listener{rule: slow.rule, queue: make(chan []byte, 10), behind: make(chan struct{})}
	h.join(slow)
	h.join(quick)
	for i := range 5 {
		h.tell(notification.ObjectCreatedPut, "b", "k", []byte(fmt.Sprint(i)))
	}
	require.Len(t, quick.queue, 5)
	require.Len(t, slow.queue, 2)
	<-slow.behind
	select {
	case <-quick.behind:
		require.Fail(t, "the quick one has lost nothing")
	default:
	}
}

// What changes nothing is delivered without the log, and dropped when there is
// no room for it.
func TestReadsAreTold(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	e, b := notified(t, t.TempDir(), in)
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectAccessedAll)))
	e.put(t, b, "key", "content")
	r := e.signed(t, "GET", "/"+b+"/key", nil, "Range", "bytes=0-2")
	require.Equal(t, "con", r.body)
	eventually(t, func() bool { return len(in.got()) == 1 }, "the read")
	got := in.got()[0]
	require.Equal(t, "s3:ObjectAccessed:Get", got.EventName)
	require.Equal(t, "bytes=0-2", got.Records[0].RequestParameters["range"])
	require.EqualValues(t, 7, got.Records[0].S3.Object.Size)
	in.set(true)
	for range laneOffers + 20 {
		require.Equal(t, 200, e.signed(t, "HEAD", "/"+b+"/key", nil).status)
	}
	in.set(false)
	eventually(t, func() bool { return len(in.got()) == laneOffers+1 }, "as many as there is room for")
}

// Questions about an object are told, too.
func TestLooksAreTold(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	e := start(t, Options{Notifiers: map[string]Notifier{testARN: in}})
	ctx := t.Context()
	const b = "locked"
	require.NoError(t, e.MakeBucket(ctx, b, minio.MakeBucketOptions{ObjectLocking: true}))
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectAccessedAll)))
	until, held := time.Now().Add(time.Minute), minio.LegalHoldDisabled
	_, err := e.PutObject(ctx, b, "key", strings.NewReader("four"), 4, minio.PutObjectOptions{Mode: minio.Governance, RetainUntilDate: until, LegalHold: held})
	require.NoError(t, err)
	_, _, err = e.GetObjectRetention(ctx, b, "key", "")
	require.NoError(t, err)
	_, err = e.GetObjectLegalHold(ctx, b, "key", minio.GetObjectLegalHoldOptions{})
	require.NoError(t, err)
	_, err = e.GetObjectAttributes(ctx, b, "key", minio.ObjectAttributesOptions{})
	require.NoError(t, err)
	eventually(t, func() bool { return len(in.got()) == 3 }, "three events")
	for i, name := range []string{"GetRetention", "GetLegalHold", "Attributes"} {
		require.Equal(t, "s3:ObjectAccessed:"+name, in.got()[i].EventName)
		require.EqualValues(t, 4, in.got()[i].Records[0].S3.Object.Size)
	}
}
