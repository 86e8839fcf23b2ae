package s3

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7/pkg/notification"
)

// eventLog is the message to a destination: what MinIO sends.
type eventLog struct {
	EventName string
	Key       string
	Records   []notification.Event
}

// cause is what events say of what led to them.
type cause struct {
	principal, host, userAgent, requestID, origin string
	byteRange                                     string // that was asked for
}

// news are the events of one request, or of one step of the lifecycle. Those of
// a change are committed together with it. The others change nothing, so there
// is nothing that they could contradict: they are told once, as far as there is
// room, and a read does not wait for a disk.
type news struct {
	srv    *Server
	cause  func() cause
	untold []story
}

// story is an event that is to be told once what it is about has happened.
type story struct {
	name        notification.EventType
	bucket, key string
	line        []byte  // for those who listen; nil when nobody does
	events      []event // for the destinations; none when they are committed
}

// commit returns the events of a change of b, which is about to be committed.
func (n *news) commit(b *bucket, name notification.EventType, m *meta) ([]event, error) {
	s, err := n.write(b, name, m)
	if err != nil || s == nil {
		return nil, err
	}
	events := s.events
	s.events = nil
	if s.line != nil {
		n.untold = append(n.untold, *s)
	}
	return events, nil
}

// mention adds an event that changes nothing.
func (n *news) mention(b *bucket, name notification.EventType, m *meta) {
	s, err := n.write(b, name, m)
	if err != nil {
		n.srv.log.Error("s3 event lost", "bucket", b.name, "key", m.Key, "error", err)
	} else if s != nil {
		n.untold = append(n.untold, *s)
	}
}

// mentionTarget mentions a read of something about the version that the URL
// names, whose bytes the handler had no need to open.
func (q *request) mentionTarget(name notification.EventType) {
	b, err := q.bucketOf()
	if err != nil || len(destinations(b.config().Notification, name, q.key)) == 0 && !q.srv.hub.heard(name, b.name, q.key) {
		return
	}
	if f, m, err := q.openObject(b, q.key, q.query.Get("versionId")); err == nil {
		_ = f.Close()
		q.news.mention(b, name, m)
	}
}

// tell tells what has happened.
func (n *news) tell() {
	for _, s := range n.untold {
		if s.line != nil {
			n.srv.hub.tell(s.name, s.bucket, s.key, s.line)
		}
		for _, ev := range s.events {
			n.srv.outbox.offer(s.bucket+"/"+s.key, ev)
		}
	}
	n.untold = nil
}

// write returns nil when nobody wants to know.
func (n *news) write(b *bucket, name notification.EventType, m *meta) (*story, error) {
	arns := destinations(b.config().Notification, name, m.Key)
	heard := n.srv.hub.heard(name, b.name, m.Key)
	if len(arns) == 0 && !heard {
		return nil, nil
	}
	s := &story{name: name, bucket: b.name, key: m.Key}
	records := []notification.Event{n.srv.event(n.cause(), b.name, name, m)}
	if heard {
		line, err := json.Marshal(struct{ Records []notification.Event }{records})
		if err != nil {
			return nil, fmt.Errorf("encode event: %w", err)
		}
		s.line = append(line, '\n')
	}
	if len(arns) == 0 {
		return s, nil
	}
	body, err := json.Marshal(eventLog{EventName: string(name), Key: b.name + "/" + m.Key, Records: records})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	for _, arn := range arns {
		s.events = append(s.events, event{ID: uuid.NewString(), ARN: arn, Body: body})
	}
	return s, nil
}

// eventsFor returns the function that builds the events a change of b causes.
// It is called when the change is about to be committed.
func (q *request) eventsFor(b *bucket, name notification.EventType) func(m *meta) ([]event, error) {
	return func(m *meta) ([]event, error) { return q.news.commit(b, name, m) }
}

func (q *request) cause() cause {
	host, _, err := net.SplitHostPort(q.r.RemoteAddr)
	if err != nil {
		host = q.r.RemoteAddr
	}
	return cause{
		principal: q.auth.accessKey, host: host, userAgent: q.r.UserAgent(), requestID: q.id, origin: q.origin(),
		byteRange: q.r.Header.Get("Range"),
	}
}

func (s *Server) event(c cause, bucket string, name notification.EventType, m *meta) notification.Event {
	e := notification.Event{
		EventVersion: "2.0", EventSource: "minio:s3", AwsRegion: s.opts.Region, EventName: string(name),
		EventTime: xmlTime(s.now()),
		RequestParameters: map[string]string{
			"principalId": c.principal, "region": s.opts.Region, "sourceIPAddress": c.host,
		},
		ResponseElements: map[string]string{
			"x-amz-id-2": s.deployment, "x-amz-request-id": c.requestID, "x-minio-deployment-id": s.deployment,
			"x-minio-origin-endpoint": c.origin,
		},
	}
	if c.byteRange != "" {
		e.RequestParameters["range"] = c.byteRange
	}
	e.UserIdentity.PrincipalID = c.principal
	e.Source.Host, e.Source.UserAgent = c.host, c.userAgent
	e.S3.SchemaVersion, e.S3.ConfigurationID = "1.0", "Config"
	e.S3.Bucket.Name, e.S3.Bucket.ARN = bucket, "arn:aws:s3:::"+bucket
	e.S3.Bucket.OwnerIdentity.PrincipalID = c.principal
	e.S3.Object.Key = url.QueryEscape(m.Key)
	e.S3.Object.VersionID = m.Version
	e.S3.Object.Sequencer = fmt.Sprintf("%016X", s.nextSequence())
	if m.ETag != "" {
		e.S3.Object.Size, e.S3.Object.ETag = m.Size, m.ETag
		e.S3.Object.ContentType = m.Headers["Content-Type"]
		e.S3.Object.UserMetadata = map[string]string{}
		for k, v := range m.Headers {
			e.S3.Object.UserMetadata[strings.ToLower(k)] = v
		}
		for k, v := range m.Attributes.headers() {
			e.S3.Object.UserMetadata[strings.ToLower(k)] = v
		}
		for k, v := range m.User {
			e.S3.Object.UserMetadata[k] = v
		}
	}
	return e
}

// nextSequence grows with every event, in the order of the commits of a key.
func (s *Server) nextSequence() int64 {
	for {
		last := s.lastSeq.Load()
		next := max(s.now().UnixNano(), last+1)
		if s.lastSeq.CompareAndSwap(last, next) {
			return next
		}
	}
}
