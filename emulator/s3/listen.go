package s3

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
)

const (
	listenerQueue = 1000                   // events that a listener may be behind
	listenerBeat  = 500 * time.Millisecond // how often one that asked for no pings is written to
)

// hub hands events to those who listen at the moment. It waits for nobody: a
// listener that falls behind loses its connection, and so learns of it.
type hub struct {
	count     atomic.Int32
	mu        sync.RWMutex
	listeners map[*listener]struct{}
	ended     chan struct{}
	endOnce   sync.Once
}

// listener is one request of ListenBucketNotification, or of all buckets.
type listener struct {
	bucket string // "" is all of them
	rule   notification.Config
	queue  chan []byte
	behind chan struct{} // closed once the queue was full
	lost   sync.Once
}

func newHub() *hub {
	return &hub{listeners: map[*listener]struct{}{}, ended: make(chan struct{})}
}

func (h *hub) join(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners[l] = struct{}{}
	h.count.Add(1)
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners, l)
	h.count.Add(-1)
}

// end lets all listeners go, and those who come later.
func (h *hub) end() { h.endOnce.Do(func() { close(h.ended) }) }

func (l *listener) wants(name notification.EventType, bucket, key string) bool {
	return (l.bucket == "" || l.bucket == bucket) && wantsEvent(l.rule, name) && wantsKey(l.rule, key)
}

// heard tells whether anybody listens to an event.
func (h *hub) heard(name notification.EventType, bucket, key string) bool {
	if h.count.Load() == 0 {
		return false
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	for l := range h.listeners {
		if l.wants(name, bucket, key) {
			return true
		}
	}
	return false
}

func (h *hub) tell(name notification.EventType, bucket, key string, line []byte) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for l := range h.listeners {
		if !l.wants(name, bucket, key) {
			continue
		}
		select {
		case l.queue <- line:
		default:
			l.lost.Do(func() { close(l.behind) })
		}
	}
}

// EndListening ends the requests that listen to events, which would otherwise
// go on for as long as their clients do.
func (s *Server) EndListening() { s.hub.end() }

// listen answers GET ?events of a bucket or of all: it writes events, one a
// line, until the client goes or falls behind.
func (q *request) listen() error {
	if q.bucket != "" {
		if _, err := q.bucketOf(); err != nil {
			return err
		}
	}
	l := &listener{bucket: q.bucket, queue: make(chan []byte, listenerQueue), behind: make(chan struct{})}
	if err := q.listenRule(&l.rule); err != nil {
		return err
	}
	every, beat, err := q.heartbeat()
	if err != nil {
		return err
	}
	q.srv.hub.join(l)
	defer q.srv.hub.leave(l)
	h := q.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	q.w.WriteHeader(http.StatusOK)
	q.stream(l, every, beat)
	return nil
}

// listenRule is what the query asks for, as a notification rule.
func (q *request) listenRule(rule *notification.Config) error {
	for _, e := range q.query["events"] {
		rule.Events = append(rule.Events, notification.EventType(e))
	}
	var filter notification.S3Key
	for _, name := range []string{"prefix", "suffix"} {
		for _, v := range q.query[name] {
			filter.FilterRules = append(filter.FilterRules, notification.FilterRule{Name: name, Value: v})
		}
	}
	rule.Filter = &notification.Filter{S3Key: filter}
	return checkRule(*rule)
}

// heartbeat is what a listener is written while nothing happens: empty events
// for one that asks for pings, every so many seconds.
func (q *request) heartbeat() (time.Duration, []byte, error) {
	ping := q.query.Get("ping")
	if ping == "" {
		return listenerBeat, []byte(" "), nil
	}
	seconds, err := strconv.ParseInt(ping, 10, 32)
	if err != nil || seconds < 1 {
		return 0, nil, errAuthQuery
	}
	return time.Duration(seconds) * time.Second, []byte(`{"Records":null}` + "\n"), nil
}

func (q *request) stream(l *listener, every time.Duration, beat []byte) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	rc := http.NewResponseController(q.w)
	line := []byte(nil)
	for {
		_ = rc.SetWriteDeadline(time.Now().Add(q.srv.opts.BodyTimeout))
		if _, err := q.w.Write(line); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case line = <-l.queue:
		case <-tick.C:
			line = beat
		case <-l.behind:
			return
		case <-q.srv.hub.ended:
			return
		case <-q.r.Context().Done():
			return
		}
	}
}
