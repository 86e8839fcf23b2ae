package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
}

// OpenRecords connects to the server that the URL names and creates the
// collection's bucket where it is missing. It fails when the context ends
// before the server answers. The caller closes the records.
func OpenRecords(ctx context.Context, url, collection string) (*Records, error) {
	if !nameForm.MatchString(collection) {
		return nil, fmt.Errorf("open records: collection %q is not 1 to 32 of a-z, 0-9 and -: %w", collection, cloud.ErrInvalid)
	}
	c, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	kv, err := c.js.KeyValue(ctx, collection)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		kv, err = c.js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
			Bucket:         collection,
			Storage:        jetstream.FileStorage,
			Replicas:       c.replicas,
			LimitMarkerTTL: keepMarkers,
		})
		if errors.Is(err, jetstream.ErrBucketExists) { // another instance was first
			kv, err = c.js.KeyValue(ctx, collection)
		}
	}
	if err != nil {
		c.nc.Close()
		return nil, fmt.Errorf("open records %s: %w", collection, err)
	}
	return &Records{connection: c, bucket: collection, kv: kv}, nil
}

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
	entry, err := r.kv.Get(ctx, encoded)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrKeyDeleted) {
		return cloud.Record{}, fmt.Errorf("get record %s: %w", key, cloud.ErrNotFound)
	}
	if err != nil {
		return cloud.Record{}, fmt.Errorf("get record %s: %w", key, err)
	}
	return cloud.Record{Key: key, Value: entry.Value(), Revision: entry.Revision()}, nil
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
	at, err := r.put(ctx, encoded, value, revision, keep)
	if revision == 0 && isConflict(err) {
		// What is there may be the mark of a removed record: then that is what the new one follows.
		marker, removed := r.removal(ctx, encoded)
		if !removed {
			return 0, fmt.Errorf("put record %s: %w", key, cloud.ErrExists)
		}
		if at, err = r.put(ctx, encoded, value, marker, keep); isConflict(err) {
			return 0, fmt.Errorf("put record %s: %w", key, cloud.ErrExists)
		}
	}
	if isConflict(err) {
		return 0, fmt.Errorf("put record %s at revision %d: %w", key, revision, cloud.ErrConflict)
	}
	if err != nil {
		return 0, fmt.Errorf("put record %s: %w", key, err)
	}
	return at, nil
}

// put publishes to the bucket's stream directly: the key-value client can set
// a time to live when it creates a key, but not when it updates one.
func (r *Records) put(ctx context.Context, encoded string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	message := nats.NewMsg("$KV." + r.bucket + "." + encoded)
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

// removal returns the revision of the mark that a removed record left behind.
func (r *Records) removal(ctx context.Context, encoded string) (revision uint64, removed bool) {
	stream, err := r.js.Stream(ctx, "KV_"+r.bucket)
	if err != nil {
		return 0, false
	}
	last, err := stream.GetLastMsgForSubject(ctx, "$KV."+r.bucket+"."+encoded)
	if err != nil {
		return 0, errors.Is(err, jetstream.ErrMsgNotFound)
	}
	marked := last.Header.Get("KV-Operation") != "" || last.Header.Get(jetstream.MarkerReasonHeader) != ""
	return last.Sequence, marked
}

// Delete implements cloud.Records.
func (r *Records) Delete(ctx context.Context, key string) error {
	encoded, err := encodeKey(key)
	if err != nil {
		return err
	}
	if err := r.kv.Purge(ctx, encoded, jetstream.PurgeTTL(keepMarkers)); err != nil {
		return fmt.Errorf("delete record %s: %w", key, err)
	}
	return nil
}

// List implements cloud.Records.
func (r *Records) List(ctx context.Context, prefix string) iter.Seq2[cloud.Record, error] {
	return func(yield func(cloud.Record, error) bool) {
		watcher, err := r.watch(ctx, prefix, jetstream.IgnoreDeletes())
		if err != nil {
			yield(cloud.Record{}, err)
			return
		}
		defer watcher.Stop()
		for entry := range watcher.Updates() {
			if entry == nil { // everything that was there has been seen
				return
			}
			if !yield(cloud.Record{Key: decodeKey(entry.Key()), Value: entry.Value(), Revision: entry.Revision()}, nil) {
				return
			}
		}
		err = ctx.Err()
		if err == nil {
			err = nats.ErrConnectionClosed
		}
		yield(cloud.Record{}, fmt.Errorf("list records %s: %w", prefix, err))
	}
}

// Watch implements cloud.Records.
func (r *Records) Watch(ctx context.Context, prefix string) iter.Seq2[cloud.Change, error] {
	return func(yield func(cloud.Change, error) bool) {
		// After a restart of the server the client's watcher notices only by the
		// heartbeats it misses, half a minute later; the connection knows at once.
		reconnected := r.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
		defer r.nc.RemoveStatusListener(reconnected)
		var seen uint64 // the last revision that was yielded
		for goOn := true; goOn && ctx.Err() == nil; {
			var options []jetstream.WatchOpt
			if seen > 0 {
				options = append(options, jetstream.ResumeFromRevision(seen+1))
			}
			watcher, err := r.watch(ctx, prefix, options...)
			switch {
			case ctx.Err() != nil:
				return
			case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, cloud.ErrInvalid):
				yield(cloud.Change{}, err)
				return
			case err != nil: // the server is away: the next status tells when it is back
				goOn = wait(ctx, reconnected)
			default:
				goOn = follow(ctx, watcher, reconnected, func(entry jetstream.KeyValueEntry) bool {
					seen = entry.Revision()
					return yield(cloud.Change{
						Record:  cloud.Record{Key: decodeKey(entry.Key()), Value: entry.Value(), Revision: seen},
						Deleted: entry.Operation() != jetstream.KeyValuePut,
					}, nil)
				})
			}
		}
	}
}

// retryWatch is how long a failed watch waits for a sign of the server before it tries again.
const retryWatch = time.Second

// wait returns true when it is time to try again, false when the context ended.
func wait(ctx context.Context, reconnected <-chan nats.Status) bool {
	select {
	case <-reconnected:
	case <-time.After(retryWatch):
	case <-ctx.Done():
		return false
	}
	return true
}

// follow hands on a watcher's entries until the connection changes, which
// returns true, or until nobody wants more.
func follow(ctx context.Context, watcher jetstream.KeyWatcher, reconnected <-chan nats.Status, take func(jetstream.KeyValueEntry) bool) bool {
	defer watcher.Stop()
	for {
		select {
		case entry, open := <-watcher.Updates():
			if !open {
				return true
			}
			if entry != nil && !take(entry) { // nil: all that was there has been seen
				return false
			}
		case <-reconnected:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

func (r *Records) watch(ctx context.Context, prefix string, options ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	keys := ">"
	if prefix != "" {
		encoded, err := encodeKey(strings.TrimSuffix(prefix, "/"))
		if err != nil {
			return nil, err
		}
		keys = encoded + ".>"
	}
	watcher, err := r.kv.Watch(ctx, keys, options...)
	if err != nil {
		return nil, fmt.Errorf("watch records %s: %w", prefix, err)
	}
	return watcher, nil
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
