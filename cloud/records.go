package cloud

import (
	"context"
	"iter"
	"time"
)

// Records keeps documents by key, with compare-and-swap. One Records is one
// named collection. A key is one or more segments joined by "/", each of 1 to
// 200 bytes of printable UTF-8 without "/"; 512 bytes in all. A value is at
// most 256 KiB.
//
// Records is safe for concurrent use. Calls that get no answer end with
// ErrUnavailable.
type Records interface {
	// Get returns ErrNotFound when there is no record, or no longer.
	Get(ctx context.Context, key string) (Record, error)
	// Put stores the value if the record's revision is still the given one;
	// revision 0 creates. It returns the new revision once the record is
	// durable, ErrExists when a create met a record, and ErrConflict when the
	// record has changed or is gone. A record with keep > 0 is removed after
	// that time; the least is one second.
	Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error)
	// Delete removes a record. Removing a missing one is no error.
	Delete(ctx context.Context, key string) error
	// List yields the records below the prefix, a whole number of segments
	// ("" for all), in no particular order: each once, also those that are
	// written meanwhile. An error ends the sequence.
	List(ctx context.Context, prefix string) iter.Seq2[Record, error]
	// Watch yields the records below the prefix as they are now, and then each
	// change, in the order in which one key changed. Changes that come faster
	// than they are taken may be folded into the last one of their key. It goes
	// on until the context ends, over lost connections too.
	Watch(ctx context.Context, prefix string) iter.Seq2[Change, error]

	// Ready returns nil while the records can be reached, else the reason why not.
	Ready(ctx context.Context) error
	// Close releases the connection; watches end. It may be called twice.
	Close() error
}

// Record is one document.
type Record struct {
	Key      string
	Value    []byte
	Revision uint64 // grows with each change of the record
}

// Change is one change of a record that a Watch saw. When Deleted is set
// (removed or expired), the record has its key and revision only.
type Change struct {
	Record
	Deleted bool
}
