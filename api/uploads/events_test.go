package uploads

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// message is a server-sent event as a browser sees it.
type message struct{ event, data, retry string }

// listen opens a stream. Its messages come on the channel, which is closed
// when the stream has ended.
func (b *bench) listen(t testing.TB, owner, path string) (http.Header, <-chan message) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+path, nil)
	require.NoError(t, err)
	request.Header.Set("X-Owner", owner)
	request.Header.Set("Accept", "text/event-stream")
	answer, err := b.client.Do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	messages := make(chan message)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(messages)
		var m message
		lines := bufio.NewScanner(answer.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				m.event = value
			case "data":
				m.data = value
			case "retry":
				m.retry = value
			case "":
				select {
				case messages <- m:
				case <-ctx.Done():
				}
				m = message{}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		answer.Body.Close()
	})
	return answer.Header, messages
}

// hear waits for the next message that is no heartbeat.
func hear(t testing.TB, messages <-chan message) (m message, open bool) {
	t.Helper()
	for {
		select {
		case m, open = <-messages:
			if m.event != "heartbeat" {
				return m, open
			}
		case <-time.After(patience):
			t.Fatal("nothing was heard")
		}
	}
}

func hearUpload(t testing.TB, messages <-chan message) Upload {
	t.Helper()
	m, open := hear(t, messages)
	require.True(t, open, "the stream has ended")
	require.Equal(t, "upload", m.event)
	return decode[Upload](t, []byte(m.data))
}

func hearEnd(t testing.TB, messages <-chan message) {
	t.Helper()
	m, open := hear(t, messages)
	require.False(t, open, "%v", m)
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := start(t)
	old, _ := b.drop(t, "ann", time.Now(), "picture")
	b.work(t, "ann", old, contract.StatusProcessed, func(doc *contract.Upload) { doc.Updated = time.Now().Add(-time.Hour) })
	b.run(t)

	header, messages := b.listen(t, "ann", "/v1/events")
	require.Equal(t, "text/event-stream", header.Get("Content-Type"))
	require.Equal(t, "no-cache", header.Get("Cache-Control"))
	require.Equal(t, "no", header.Get("X-Accel-Buffering"))
	first := <-messages
	require.Equal(t, "heartbeat", first.event)
	require.Equal(t, "2000", first.retry)

	_, others := b.listen(t, "bob", "/v1/events")
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	b.work(t, "ann", id, contract.StatusProcessing, nil)
	require.Equal(t, contract.StatusProcessing, hearUpload(t, messages).Status)
	b.work(t, "ann", id, contract.StatusProcessed, func(doc *contract.Upload) {
		doc.Variants = []contract.Variant{{Name: "small", Key: b.vary(t, "ann", id, "small")}}
	})
	view := hearUpload(t, messages)
	require.Equal(t, id, view.ID)
	require.Equal(t, contract.StatusProcessed, view.Status)
	code, _ := b.download(t, view.Variants[0].URL)
	require.Equal(t, http.StatusOK, code)
	b.delete(t, "ann", id, http.StatusNoContent)
	gone, _ := hear(t, messages)
	require.Equal(t, message{event: "deleted", data: `{"id":"` + id + `"}`}, gone)

	// Bob heard none of it: the first thing that he hears is his own.
	own, _ := b.drop(t, "bob", time.Now(), "picture")
	b.work(t, "bob", own, contract.StatusProcessing, nil)
	require.Equal(t, own, hearUpload(t, others).ID)
}

func TestUploadEvents(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.Expiry = 2 * time.Second })
	b.run(t)
	for _, final := range []contract.Status{contract.StatusProcessed, contract.StatusRejected} {
		t.Run("until "+string(final), func(t *testing.T) {
			t.Parallel()
			id, _ := b.drop(t, "ann", time.Now(), "picture")
			other, _ := b.drop(t, "ann", time.Now(), "picture")
			_, messages := b.listen(t, "ann", "/v1/uploads/"+id+"/events")
			require.Equal(t, contract.StatusWaiting, hearUpload(t, messages).Status)
			b.work(t, "ann", other, contract.StatusProcessing, nil)
			b.work(t, "ann", id, contract.StatusProcessing, nil)
			require.Equal(t, contract.StatusProcessing, hearUpload(t, messages).Status)
			b.work(t, "ann", id, final, nil)
			require.Equal(t, final, hearUpload(t, messages).Status)
			hearEnd(t, messages)

			_, again := b.listen(t, "ann", "/v1/uploads/"+id+"/events")
			require.Equal(t, final, hearUpload(t, again).Status)
			hearEnd(t, again)
		})
	}
	t.Run("until deleted", func(t *testing.T) {
		t.Parallel()
		id, _ := b.drop(t, "ann", time.Now(), "picture")
		_, messages := b.listen(t, "ann", "/v1/uploads/"+id+"/events")
		hearUpload(t, messages)
		b.delete(t, "ann", id, http.StatusNoContent)
		gone, _ := hear(t, messages)
		require.Equal(t, "deleted", gone.event)
		hearEnd(t, messages)
		get[problem](t, b, "ann", "/v1/uploads/"+id+"/events", http.StatusNotFound)
	})
	t.Run("until its link expires", func(t *testing.T) {
		t.Parallel()
		signed := b.signUpload(t, "ann", "a.png", "image/png", 1)
		_, messages := b.listen(t, "ann", "/v1/uploads/"+signed.ID+"/events")
		require.Equal(t, contract.StatusWaiting, hearUpload(t, messages).Status)
		last := hearUpload(t, messages)
		require.Equal(t, contract.StatusRejected, last.Status)
		require.Contains(t, last.Reason, "Nothing arrived")
		hearEnd(t, messages)
	})
}

// TestManyStreams: one watch serves them all, each hears everything of its
// owner, and nothing is left when they are gone.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	records := &countingRecords{}
	b := start(t, func(o *Options) { records.Records, o.Records = o.Records, records })
	b.run(t)
	const owners, streams, changes = 5, 40, 10
	var group sync.WaitGroup
	for owner := range owners {
		name := fmt.Sprintf("owner-%d", owner)
		var listening sync.WaitGroup
		for range streams {
			_, messages := b.listen(t, name, "/v1/events")
			listening.Add(1)
			group.Go(func() {
				require.Equal(t, "heartbeat", (<-messages).event)
				listening.Done()
				for i := range changes {
					if view := hearUpload(t, messages); view.Width != i+1 {
						t.Errorf("change %d was heard as %d", view.Width, i+1)
						return
					}
				}
			})
		}
		group.Go(func() {
			listening.Wait()
			for i := range changes {
				id := contract.NewUploadID(time.Now())
				b.work(t, name, id, contract.StatusProcessed, func(doc *contract.Upload) { doc.Width = i + 1 })
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, records.watches.Load())
	require.EqualValues(t, owners*streams, b.counted(t, "drydock_uploads_streams"))
	require.Zero(t, b.counted(t, "drydock_uploads_streams_dropped_total"))
}

// TestWatchAgain: a watch that fails, or meets a record that nobody can read,
// does not silence the streams.
func TestWatchAgain(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.Records = &failingOnce{Records: o.Records} })
	b.run(t)
	_, messages := b.listen(t, "ann", "/v1/events")
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	_, err := b.options.Records.Put(within(t), contract.RecordKey("ann", contract.NewUploadID(time.Now())), []byte("nonsense"), 0, 0)
	require.NoError(t, err)
	b.work(t, "ann", id, contract.StatusProcessed, nil)
	require.Equal(t, id, hearUpload(t, messages).ID)
}

// TestStreamsEnd when the service stops, so that the server can drain.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	b := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	_, all := b.listen(t, "ann", "/v1/events")
	_, one := b.listen(t, "ann", "/v1/uploads/"+contract.NewUploadID(time.Now())+"/events")
	hearUpload(t, one)
	cancel()
	hearEnd(t, all)
	hearEnd(t, one)
	require.NoError(t, <-done)
	_, late := b.listen(t, "ann", "/v1/events")
	hearEnd(t, late)
	require.Eventually(t, func() bool { return b.counted(t, "drydock_uploads_streams") == 0 }, patience, time.Millisecond)
}

// TestSlowReader opens a stream that never reads: it is dropped, and one that
// reads misses nothing.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.run(t)
	slow, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	require.NoError(t, err)
	defer slow.Close()
	require.NoError(t, slow.(*net.TCPConn).SetReadBuffer(4096))
	_, err = fmt.Fprint(slow, "GET /v1/events HTTP/1.1\r\nHost: api\r\nX-Owner: ann\r\n\r\n")
	require.NoError(t, err)
	_, messages := b.listen(t, "ann", "/v1/events")
	require.Equal(t, "heartbeat", (<-messages).event)
	require.Eventually(t, func() bool { return b.counted(t, "drydock_uploads_streams") == 2 }, patience, time.Millisecond)

	doc := contract.Upload{ID: contract.NewUploadID(time.Now()), Owner: "ann", Status: contract.StatusProcessing, Updated: time.Now()}
	doc.Reason = strings.Repeat("large ", 30_000)
	for b.counted(t, "drydock_uploads_streams_dropped_total") == 0 && b.counted(t, "drydock_uploads_streams") == 2 {
		doc.Width++
		require.Less(t, doc.Width, 1000)
		value, err := json.Marshal(doc)
		require.NoError(t, err)
		require.NoError(t, b.tell(within(t), cloud.Change{Record: cloud.Record{Key: contract.RecordKey(doc.Owner, doc.ID), Value: value}}))
		require.Equal(t, doc.Width, hearUpload(t, messages).Width)
	}
	b.work(t, "ann", doc.ID, contract.StatusProcessed, nil)
	require.Equal(t, contract.StatusProcessed, hearUpload(t, messages).Status)
	require.Eventually(t, func() bool { return b.counted(t, "drydock_uploads_streams") == 1 }, patience, 10*time.Millisecond)
}

// TestStreamKeepsConnection: after a stream has ended, the connection serves
// other requests for as long as it likes.
func TestStreamKeepsConnection(t *testing.T) {
	t.Parallel()
	b := start(t)
	id, _ := b.drop(t, "ann", time.Now(), "picture")
	b.work(t, "ann", id, contract.StatusProcessed, nil)
	deadlines := make(chan time.Time, 100)
	front := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.Handler().ServeHTTP(&watched{ResponseWriter: w, deadlines: deadlines}, r)
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = front.Serve(listener) }()
	defer front.Close()
	b.url = "http://" + listener.Addr().String()
	_, messages := b.listen(t, "demo", "/v1/events")
	require.Equal(t, "heartbeat", (<-messages).event)
	b.hub.close()
	hearEnd(t, messages)
	require.False(t, (<-deadlines).IsZero())
	require.True(t, (<-deadlines).IsZero())
}

// watched tells which write deadlines are set.
type watched struct {
	http.ResponseWriter
	deadlines chan<- time.Time
}

func (w *watched) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

func (w *watched) SetWriteDeadline(at time.Time) error {
	w.deadlines <- at
	return http.NewResponseController(w.ResponseWriter).SetWriteDeadline(at)
}

func TestHeadOfStream(t *testing.T) {
	t.Parallel()
	b := start(t)
	code, header, _ := b.call(t, "ann", http.MethodHead, "/v1/events", "")
	require.Equal(t, http.StatusOK, code)
	require.Equal(t, "text/event-stream", header.Get("Content-Type"))
}
