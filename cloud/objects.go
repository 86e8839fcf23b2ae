package cloud

import (
	"context"
	"io"
	"iter"
	"time"
)

// Objects is one bucket of an S3-compatible store. Keys are 1 to 1,024 bytes
// of UTF-8. Reads see every write that returned before them.
//
// Objects is safe for concurrent use.
type Objects interface {
	// Bucket is the bucket's name, as notifications write it.
	Bucket() string

	// SignPost signs a browser form that uploads one object with exactly the
	// grant's key, size and content type, and nothing else.
	SignPost(ctx context.Context, grant Grant) (Form, error)
	// SignPut signs one PUT request with exactly the grant's key, size and content type.
	SignPut(ctx context.Context, grant Grant) (Request, error)
	// SignGet signs a download. The link holds for the duration, at most 7 days.
	SignGet(ctx context.Context, key string, valid time.Duration) (string, error)

	// Put stores the object and returns once it is durable. Size is exact, in
	// bytes; fewer or more bytes from the reader are an error and store nothing.
	Put(ctx context.Context, key string, body io.Reader, size int64, options PutOptions) (ObjectInfo, error)
	// Get opens an object for reading. The caller closes it. ErrNotFound when missing.
	Get(ctx context.Context, key string) (io.ReadCloser, ObjectInfo, error)
	// Head describes an object. ErrNotFound when missing.
	Head(ctx context.Context, key string) (ObjectInfo, error)
	// Copy copies an object within the bucket, with its metadata, without its
	// bytes passing through here. ErrNotFound when the source is missing.
	Copy(ctx context.Context, from, to string) (ObjectInfo, error)
	// Delete removes an object. Removing a missing one is no error.
	Delete(ctx context.Context, key string) error
	// List yields the objects whose keys begin with the prefix and come after
	// the key after (empty: from the start), in ascending byte order of their
	// keys, fetching pages as the caller goes on. An error ends the sequence.
	List(ctx context.Context, prefix, after string) iter.Seq2[ObjectInfo, error]
	// Folders yields the distinct beginnings of keys up to and with the next
	// slash after the prefix: for "incoming/" the folders "incoming/ann/", "incoming/bob/".
	Folders(ctx context.Context, prefix string) iter.Seq2[string, error]

	// Ready returns nil while the bucket can be reached, else the reason why not.
	Ready(ctx context.Context) error
}

// Grant is what a signed upload allows.
type Grant struct {
	Key         string
	Size        int64 // exact, in bytes
	ContentType string
	Expires     time.Time
}

// Form is a signed browser upload: a multipart POST of the fields, in any
// order, followed by a field "file".
type Form struct {
	URL    string
	Fields map[string]string
}

// Request is a signed plain request; the headers must be sent as they are.
type Request struct {
	Method  string
	URL     string
	Headers map[string]string
}

// PutOptions are a stored object's properties.
type PutOptions struct {
	ContentType string
	// CacheControl is told to those who download; empty for none.
	CacheControl string
	// IfAbsent stores only when no object has the key, else ErrExists. Among
	// racers exactly one wins.
	IfAbsent bool
}

// ObjectInfo describes a stored object. List leaves ContentType empty, and Put
// leaves Modified zero.
type ObjectInfo struct {
	Key         string
	Size        int64
	ETag        string // without quotes
	ContentType string
	Modified    time.Time
}
