package contract

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Topics of the uploads flow. The object store writes the first, with a body
// that ParseObjectsCreated reads; the images worker writes the others, with an
// Upload document as the body.
const TopicObjectsCreated = "objects.created"

// TopicProcessed carries an owner's uploads whose variants are all there.
func TopicProcessed(owner string) string { return "images.processed." + owner }

// TopicRejected carries an owner's uploads that can never be processed.
func TopicRejected(owner string) string { return "images.rejected." + owner }

// Object is an object that a notification says was created.
type Object struct {
	Bucket string
	Key    string
	Size   int64
	ETag   string
}

// notification is the part of an S3 event message that is used, as AWS
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html)
// and MinIO write it.
type notification struct {
	Event   string   `json:"Event,omitempty"` // "s3:TestEvent" when AWS tries a new configuration
	Records []record `json:"Records"`
}

type record struct {
	EventName string `json:"eventName"`
	S3        struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key  string `json:"key"` // encoded as in a URL's query
			Size int64  `json:"size"`
			ETag string `json:"eTag"`
		} `json:"object"`
	} `json:"s3"`
}

// ParseObjectsCreated reads an S3 event message and returns the objects that
// it says were created; there are none in a test event or a removal.
func ParseObjectsCreated(data []byte) ([]Object, error) {
	var n notification
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, fmt.Errorf("read object notification: %w", err)
	}
	if n.Records == nil && n.Event != "s3:TestEvent" {
		return nil, fmt.Errorf("read object notification: it holds no Records")
	}
	var objects []Object
	for _, r := range n.Records {
		if !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return nil, fmt.Errorf("read object notification: key %q: %w", r.S3.Object.Key, err)
		}
		objects = append(objects, Object{Bucket: r.S3.Bucket.Name, Key: key, Size: r.S3.Object.Size, ETag: r.S3.Object.ETag})
	}
	return objects, nil
}

// ObjectsCreated is the message that ParseObjectsCreated reads back: what the
// sweep publishes for an object whose own notification never came.
func ObjectsCreated(object Object) []byte {
	var r record
	r.EventName = "s3:ObjectCreated:Put"
	r.S3.Bucket.Name = object.Bucket
	r.S3.Object.Key = url.QueryEscape(object.Key)
	r.S3.Object.Size = object.Size
	r.S3.Object.ETag = object.ETag
	data, err := json.Marshal(notification{Records: []record{r}})
	if err != nil {
		panic(err) // strings and numbers alone: cannot fail
	}
	return data
}
