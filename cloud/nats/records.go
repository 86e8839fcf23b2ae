package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

const (
	maxKey     = 512
	maxSegment = 200
	maxValue   = 256 << 10

	// keepMarkers is how long the bucket remembers that a record expired, for watchers that were away.
	keepMarkers = time.Hour
)

// Records is a cloud.Records on a JetStream key-value bucket that is named
// like the collection.
type Records struct {
	*connection
	bucket string
	kv     jetstream.KeyValue
	stream jetstream.Stream // that the bucket is
}

// OpenRecords connects to the server that the URL names and creates the
// collection's bucket where it is missing. It fails when the context ends
// before the server answers. The caller closes the records.
func OpenRecords(ctx context.Context, url, collection string) (*Records, error) {
	if !nameForm().MatchString(collection) {
		return nil, fmt.Errorf("open records: collection %q is not 1 to 32 of a-z, 0-9 and -: %w", collection, cloud.ErrInvalid)
	}
	c, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	r := &Records{connection: c, bucket: collection}
	if err := c.call(ctx, r.open); err != nil {
		c.nc.Close()
		return nil, fmt.Errorf("open records %s: %w", collection, err)
	}
	return r, nil
}

// open finds or makes the bucket.
func (r *Records) open(ctx context.Context) (err error) {
	r.kv, err = r.js.KeyValue(ctx, r.bucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		r.kv, err = r.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket:         r.bucket,
			Storage:        jetstream.FileStorage,
			Replicas:       r.replicas,
			LimitMarkerTTL: keepMarkers,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // another instance was first
			r.kv, err = r.js.KeyValue(ctx, r.bucket)
		}
	}
	if err == nil {
		r.stream, err = r.js.Stream(ctx, "KV_"+r.bucket)
	}
	return err
}

// subject is where the bucket's stream has a record.
func (r *Records) subject(encoded string) string { return "$KV." + r.bucket + "." + encoded }

// Ready implements cloud.Records.
func (r *Records) Ready(ctx context.Context) error { return r.ready(ctx) }

// Close implements cloud.Records.
func (r *Records) Close() error {
	r.nc.Close()
	return nil
}

// Get implements cloud.Records.
func (r *Records) Get(ctx context.Context, key string) (cloud.Record, error) {
	encoded, err := encodeKey(key)
	if err != nil {
		return cloud.Record{}, err
	}
	entry, err := r.get(ctx, encoded)
	if err != nil {
		return cloud.Record{}, fmt.Errorf("get record %s: %w", key, err)
	}
	return cloud.Record{Key: key, Value: entry.Value(), Revision: entry.Revision()}, nil
}

func (r *Records) get(ctx context.Context, encoded string) (entry jetstream.KeyValueEntry, err error) {
	err = r.call(ctx, func(ctx context.Context) (err error) {
		entry, err = r.kv.Get(ctx, encoded)
		return err
	})
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyDeleted) {
		err = cloud.ErrNotFound
	}
	return entry, err
}

// Put implements cloud.Records.
func (r *Records) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	encoded, err := encodeKey(key)
	if err != nil {
		return 0, err
	}
	if len(value) > maxValue {
		return 0, fmt.Errorf("put record %s: its %d bytes are more than %d: %w", key, len(value), maxValue, cloud.ErrInvalid)
	}
	if keep != 0 && keep < time.Second {
		return 0, fmt.Errorf("put record %s: keeping it for %v is less than 1s: %w", key, keep, cloud.ErrInvalid)
	}
	var at uint64
	err = r.call(ctx, func(ctx context.Context) (err error) {
		at, err = r.swap(ctx, encoded, value, revision, keep)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("put record %s at revision %d: %w", key, revision, err)
	}
	return at, nil
}

// swap puts a value in the place of that at the revision; 0 is of none.
func (r *Records) swap(ctx context.Context, encoded string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	at, err := r.put(ctx, encoded, value, revision, keep)
	switch {
	case !isConflict(err):
		return at, err
	case revision > 0:
		return 0, cloud.ErrConflict
	}
	// What is there may be the mark of a removed record: then that is what the new one follows.
	marker, err := r.removal(ctx, encoded)
	if err != nil {
		return 0, err
	}
	if at, err = r.put(ctx, encoded, value, marker, keep); isConflict(err) {
		return 0, cloud.ErrExists
	}
	return at, err
}

// put publishes to the bucket's stream directly: the key-value client can set
// a time to live when it creates a key, but not when it updates one.
func (r *Records) put(ctx context.Context, encoded string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	message := nats.NewMsg(r.subject(encoded))
	message.Data = value
	options := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(revision)}
	if keep > 0 {
		options = append(options, jetstream.WithMsgTTL(keep.Round(time.Second)))
	}
	ack, err := r.js.PublishMsg(ctx, message, options...)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// removal returns the revision of the mark that a removed record left behind,
// 0 when nothing is there any more. A record that is not removed is cloud.ErrExists.
func (r *Records) removal(ctx context.Context, encoded string) (revision uint64, err error) {
	last, err := r.stream.GetLastMsgForSubject(ctx, r.subject(encoded))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case last.Header.Get("KV-Operation") == "" && last.Header.Get(jetstream.MarkerReasonHeader) == "":
		return 0, cloud.ErrExists
	}
	return last.Sequence, nil
}

// Delete implements cloud.Records.
func (r *Records) Delete(ctx context.Context, key string) error {
	encoded, err := encodeKey(key)
	if err != nil {
		return err
	}
	err = r.call(ctx, func(ctx context.Context) error {
		return r.kv.Purge(ctx, encoded, jetstream.PurgeTTL(keepMarkers))
	})
	if err != nil {
		return fmt.Errorf("delete record %s: %w", key, err)
	}
	return nil
}

// below selects the encoded keys that begin with a whole number of segments.
func below(prefix string) (keys string, err error) {
	if prefix == "" {
		return ">", nil
	}
	encoded, err := encodeKey(strings.TrimSuffix(prefix, "/"))
	return encoded + ".>", err
}

// encodeKey writes a key as a NATS subject: segments become words, and what a
// word cannot hold becomes =XX.
func encodeKey(key string) (string, error) {
	if key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return "", fmt.Errorf("record key %.40q is not 1 to %d bytes of UTF-8: %w", key, maxKey, cloud.ErrInvalid)
	}
	segments := strings.Split(key, "/")
	for i, segment := range segments {
		if segment == "" || len(segment) > maxSegment || strings.ContainsFunc(segment, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return "", fmt.Errorf("record key %.40q: segment %d is not 1 to %d bytes of printable text: %w", key, i+1, maxSegment, cloud.ErrInvalid)
		}
		var word strings.Builder
		for _, c := range []byte(segment) {
			if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
				word.WriteByte(c)
			} else {
				fmt.Fprintf(&word, "=%02X", c)
			}
		}
		segments[i] = word.String()
	}
	return strings.Join(segments, "."), nil
}

func decodeKey(encoded string) string {
	plain := strings.ReplaceAll(encoded, ".", "/")
	return unescape(strings.ReplaceAll(plain, "=", "%"))
}
