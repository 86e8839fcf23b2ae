package s3

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7/pkg/notification"
)

// supportedEvents are those that this server can cause.
func supportedEvents() []notification.EventType {
	return []notification.EventType{
		notification.ObjectCreatedAll, notification.ObjectCreatedPut, notification.ObjectCreatedPost,
		notification.ObjectCreatedCopy, notification.ObjectCreatedCompleteMultipartUpload,
		notification.ObjectRemovedAll, notification.ObjectRemovedDelete,
	}
}

func (q *request) getNotification() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	c := b.config().Notification
	if c == nil {
		c = &notification.Configuration{}
	}
	return q.writeXML(c)
}

func (q *request) putNotification() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	var c notification.Configuration
	if ok, err := q.readXML(&c); err != nil {
		return err
	} else if !ok {
		return errMalformedXML
	}
	if err := q.srv.setNotification(b, c); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Server) setNotification(b *bucket, c notification.Configuration) error {
	if len(c.LambdaConfigs) > 0 || len(c.TopicConfigs) > 0 {
		return errUnsupportedTarget
	}
	c.QueueConfigs = slices.Clone(c.QueueConfigs)
	for i := range c.QueueConfigs {
		qc := &c.QueueConfigs[i]
		arn, ok := s.resolveARN(qc.Queue)
		if !ok {
			return errUnknownARN
		}
		qc.Queue = arn
		if len(qc.Events) == 0 {
			return errMalformedXML
		}
		for _, e := range qc.Events {
			if !slices.Contains(supportedEvents(), e) {
				return errInvalidArgument.saying("A specified event is not supported for notifications.")
			}
		}
		if qc.Filter != nil {
			if err := checkFilter(qc.Filter.S3Key.FilterRules); err != nil {
				return err
			}
		}
	}
	return s.st.configure(b, func(conf *bucketConf) { conf.Notification = &c })
}

// resolveARN finds a configured destination; its ARN may name the region or not.
func (s *Server) resolveARN(arn string) (string, bool) {
	if _, ok := s.opts.Notifiers[arn]; ok {
		return arn, true
	}
	parts := strings.Split(arn, ":")
	if len(parts) == 6 && parts[3] == s.opts.Region {
		parts[3] = ""
		arn = strings.Join(parts, ":")
		_, ok := s.opts.Notifiers[arn]
		return arn, ok
	}
	return "", false
}

func checkFilter(rules []notification.FilterRule) error {
	seen := map[string]bool{}
	for _, r := range rules {
		name := strings.ToLower(r.Name)
		switch {
		case name != "prefix" && name != "suffix":
			return errInvalidArgument.saying("filter rule name must be either prefix or suffix")
		case seen[name]:
			return errInvalidArgument.saying("Cannot specify more than one %s rule in a filter.", name)
		case len(r.Value) > maxKeyLength:
			return errInvalidArgument.saying("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
		}
		seen[name] = true
	}
	return nil
}

// destinations returns the ARNs that want to know of an event, each once.
func destinations(c *notification.Configuration, name notification.EventType, key string) []string {
	var arns []string
	if c == nil {
		return nil
	}
	for _, qc := range c.QueueConfigs {
		if wantsEvent(qc.Config, name) && wantsKey(qc.Config, key) && !slices.Contains(arns, qc.Queue) {
			arns = append(arns, qc.Queue)
		}
	}
	return arns
}

func wantsEvent(c notification.Config, name notification.EventType) bool {
	return slices.ContainsFunc(c.Events, func(e notification.EventType) bool {
		family, all := strings.CutSuffix(string(e), "*")
		return e == name || all && strings.HasPrefix(string(name), family)
	})
}

func wantsKey(c notification.Config, key string) bool {
	if c.Filter == nil {
		return true
	}
	for _, r := range c.Filter.S3Key.FilterRules {
		switch strings.ToLower(r.Name) {
		case "prefix":
			if !strings.HasPrefix(key, r.Value) {
				return false
			}
		case "suffix":
			if !strings.HasSuffix(key, r.Value) {
				return false
			}
		}
	}
	return true
}

// eventLog is the message: what MinIO sends.
type eventLog struct {
	EventName string
	Key       string
	Records   []notification.Event
}

// eventsFor returns the function that builds the events a change of b causes.
// It is called when the change is about to be committed.
func (q *request) eventsFor(b *bucket, name notification.EventType) func(m *meta) ([]event, error) {
	return func(m *meta) ([]event, error) {
		arns := destinations(b.config().Notification, name, m.Key)
		if len(arns) == 0 {
			return nil, nil
		}
		body, err := json.Marshal(eventLog{
			EventName: string(name), Key: b.name + "/" + m.Key, Records: []notification.Event{q.event(b, name, m)},
		})
		if err != nil {
			return nil, fmt.Errorf("encode event: %w", err)
		}
		events := make([]event, len(arns))
		for i, arn := range arns {
			events[i] = event{ID: uuid.NewString(), ARN: arn, Body: body}
		}
		return events, nil
	}
}

func (q *request) event(b *bucket, name notification.EventType, m *meta) notification.Event {
	s := q.srv
	at := m.Modified
	if at.IsZero() {
		at = s.now()
	}
	host, _, err := net.SplitHostPort(q.r.RemoteAddr)
	if err != nil {
		host = q.r.RemoteAddr
	}
	e := notification.Event{
		EventVersion: "2.0", EventSource: "minio:s3", AwsRegion: s.opts.Region, EventName: string(name),
		EventTime: xmlTime(at),
		RequestParameters: map[string]string{
			"principalId": q.auth.accessKey, "region": s.opts.Region, "sourceIPAddress": host,
		},
		ResponseElements: map[string]string{
			"x-amz-id-2": s.deployment, "x-amz-request-id": q.id, "x-minio-deployment-id": s.deployment,
			"x-minio-origin-endpoint": q.origin(),
		},
	}
	e.UserIdentity.PrincipalID = q.auth.accessKey
	e.Source.Host, e.Source.UserAgent = host, q.r.UserAgent()
	e.S3.SchemaVersion, e.S3.ConfigurationID = "1.0", "Config"
	e.S3.Bucket.Name, e.S3.Bucket.ARN = b.name, "arn:aws:s3:::"+b.name
	e.S3.Bucket.OwnerIdentity.PrincipalID = q.auth.accessKey
	e.S3.Object.Key = url.QueryEscape(m.Key)
	e.S3.Object.Sequencer = fmt.Sprintf("%016X", s.nextSequence())
	if m.ETag != "" {
		e.S3.Object.Size, e.S3.Object.ETag = m.Size, m.ETag
		e.S3.Object.ContentType = m.Headers["Content-Type"]
		e.S3.Object.UserMetadata = map[string]string{}
		for k, v := range m.Headers {
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
