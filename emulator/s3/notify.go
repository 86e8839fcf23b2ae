package s3

import (
	"encoding/xml"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7/pkg/notification"
)

// What MinIO knows and minio-go has no name for.
const (
	objectRemovedNoOP        notification.EventType = "s3:ObjectRemoved:NoOP"
	objectRemovedAllVersions notification.EventType = "s3:ObjectRemoved:DeleteAllVersions"
	objectAccessedAttributes notification.EventType = "s3:ObjectAccessed:Attributes"
	objectRestoreAll         notification.EventType = "s3:ObjectRestore:*"
	scannerLargeVersions     notification.EventType = "s3:Scanner:LargeVersions"
)

// knownEvents are those that rules may name. Some have no cause here: nothing
// is replicated, transitioned or restored.
func knownEvents() []notification.EventType {
	return []notification.EventType{
		notification.ObjectCreatedAll, notification.ObjectCreatedPut, notification.ObjectCreatedPost,
		notification.ObjectCreatedCopy, notification.ObjectCreatedCompleteMultipartUpload,
		notification.ObjectCreatedPutRetention, notification.ObjectCreatedPutLegalHold,
		notification.ObjectCreatedPutTagging, notification.ObjectCreatedDeleteTagging,
		notification.ObjectAccessedAll, notification.ObjectAccessedGet, notification.ObjectAccessedHead,
		notification.ObjectAccessedGetRetention, notification.ObjectAccessedGetLegalHold, objectAccessedAttributes,
		notification.ObjectRemovedAll, notification.ObjectRemovedDelete, notification.ObjectRemovedDeleteMarkerCreated,
		objectRemovedNoOP, objectRemovedAllVersions, notification.ILMDelMarkerExpirationDelete,
		notification.BucketCreatedAll, notification.BucketRemovedAll,
		notification.ObjectReplicationAll, notification.ObjectReplicationOperationCompletedReplication,
		notification.ObjectReplicationOperationFailedReplication, notification.ObjectReplicationOperationMissedThreshold,
		notification.ObjectReplicationOperationNotTracked, notification.ObjectReplicationOperationReplicatedAfterThreshold,
		objectRestoreAll, notification.ObjectTransitionPost, notification.ObjectTransitionCompleted,
		notification.ObjectTransitionAll, notification.ObjectTransitionFailed, notification.ObjectTransitionComplete,
		notification.ObjectScannerManyVersions, scannerLargeVersions, notification.ObjectScannerBigPrefix,
	}
}

func (q *request) getNotification() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	out := struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ NotificationConfiguration"`
		*notification.Configuration
	}{Configuration: b.config().Notification}
	return q.writeXML(out)
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
		if err := checkRule(qc.Config); err != nil {
			return err
		}
		if slices.ContainsFunc(c.QueueConfigs[:i], func(o notification.QueueConfig) bool { return reflect.DeepEqual(o, *qc) }) {
			return errInvalidArgument.saying("An object key name filtering rule defined with overlapping prefixes, overlapping suffixes, or overlapping combinations of prefixes and suffixes for the same event types.")
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

// checkRule refuses events that there are not, or twice, and filters that are none.
func checkRule(c notification.Config) error {
	for i, e := range c.Events {
		switch {
		case !slices.Contains(knownEvents(), e):
			return errInvalidArgument.saying("A specified event is not supported for notifications.")
		case slices.Contains(c.Events[:i], e):
			return errInvalidArgument.saying("Configurations overlap. Configurations on the same bucket cannot share a common event type.")
		}
	}
	if c.Filter == nil {
		return nil
	}
	return checkFilter(c.Filter.S3Key.FilterRules)
}

func checkFilter(rules []notification.FilterRule) error {
	seen := map[string]bool{}
	for _, r := range rules {
		switch {
		case r.Name != "prefix" && r.Name != "suffix":
			return errInvalidArgument.saying("filter rule name must be either prefix or suffix")
		case seen[r.Name]:
			return errInvalidArgument.saying("Cannot specify more than one %s rule in a filter.", r.Name)
		case len(r.Value) > maxKeyLength:
			return errInvalidArgument.saying("Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation")
		}
		seen[r.Name] = true
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
		switch r.Name {
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
