package contract

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Incoming is the prefix of the keys that uploads are sent to, and Processed
// the one of the variants made from them.
const (
	Incoming  = "incoming/"
	Processed = "processed/"
)

// UploadsCollection is the name of the records that hold Upload documents.
const UploadsCollection = "uploads"

// Status is where an upload stands.
type Status string

// An upload goes waiting → processing → processed or rejected. Nothing is
// recorded while it waits: signing an upload writes nothing, and the object
// itself is the proof that it arrived. Deleted is a record kept for a while
// so that a late delivery or a link still valid does not bring it back.
const (
	StatusWaiting    Status = "waiting"
	StatusProcessing Status = "processing"
	StatusProcessed  Status = "processed"
	StatusRejected   Status = "rejected"
	StatusDeleted    Status = "deleted"
)

// Final tells that no more work follows for this version of the object.
func (s Status) Final() bool {
	return s == StatusProcessed || s == StatusRejected || s == StatusDeleted
}

// Upload is the document kept for an upload once its object has arrived, and
// the body of the events on TopicProcessed and TopicRejected.
type Upload struct {
	ID          string    `json:"id"`
	Owner       string    `json:"owner"`
	Filename    string    `json:"filename"`
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"`
	ETag        string    `json:"etag"`    // the version of the object that this speaks of
	Arrived     time.Time `json:"arrived"` // when that version was stored
	Status      Status    `json:"status"`
	Reason      string    `json:"reason,omitempty"` // why it was rejected, for people
	Width       int       `json:"width,omitempty"`
	Height      int       `json:"height,omitempty"`
	Pages       int       `json:"pages,omitempty"` // more than 1 for animations
	Variants    []Variant `json:"variants,omitempty"`
	Updated     time.Time `json:"updated"`
}

// Variant is one picture made from an upload.
type Variant struct {
	Name        string `json:"name"`
	Key         string `json:"key"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
}

// RecordKey is where the upload's document is kept.
func RecordKey(owner, id string) string { return owner + "/" + id }

// IncomingKey is where an upload is sent to. The name has to be clean (CleanName).
func IncomingKey(owner, id, name string) string { return IncomingFolder(owner, id) + name }

// IncomingFolder is the prefix that holds the one object of an upload.
func IncomingFolder(owner, id string) string { return Incoming + owner + "/" + id + "/" }

// VariantKey is where a variant is kept. The extension has its dot.
func VariantKey(owner, id, variant, extension string) string {
	return ProcessedFolder(owner, id) + variant + extension
}

// ProcessedFolder is the prefix that holds the variants of an upload.
func ProcessedFolder(owner, id string) string { return Processed + owner + "/" + id + "/" }

// ParseIncomingKey takes an incoming key apart; ok is false for any other key.
func ParseIncomingKey(key string) (owner, id, name string, ok bool) {
	rest, found := strings.CutPrefix(key, Incoming)
	if !found {
		return "", "", "", false
	}
	parts := strings.SplitN(rest, "/", 3)
	if len(parts) != 3 || !ValidOwner(parts[0]) || parts[2] == "" {
		return "", "", "", false
	}
	if _, valid := UploadTime(parts[1]); !valid {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

var owner = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`) })

// ValidOwner tells whether a name can own uploads: it becomes part of keys and topics.
func ValidOwner(name string) bool { return owner().MatchString(name) }

// maxName bounds a file's name inside a key, in bytes.
const maxName = 200

// CleanName makes a file's name fit to end a key: the last element of a path
// of any system, without control characters, at most 200 bytes of valid UTF-8
// with the extension kept. It never fails; an empty outcome becomes "file".
func CleanName(name string) string {
	name = strings.ToValidUTF8(name, "_")
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '$' { // $ begins a placeholder in upload forms
			return '_'
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	if name == "" {
		return "file"
	}
	if len(name) <= maxName {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	cut := maxName - len(extension)
	for !utf8.RuneStart(name[cut]) {
		cut--
	}
	return strings.TrimRight(name[:cut], " .") + extension
}

// identifiers holds the order of their bytes in their text.
var identifiers = base32.HexEncoding.WithPadding(base32.NoPadding)

// latest is the largest time an identifier can hold, in milliseconds.
const latest = 1<<48 - 1

// NewUploadID makes an identifier of 24 characters. Identifiers of later
// uploads come first in byte order, so that listing a bucket lists the newest
// uploads first, without an index beside it. It holds 72 random bits.
func NewUploadID(now time.Time) string {
	var raw [15]byte
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(latest-now.UnixMilli()))
	copy(raw[:6], at[2:])
	rand.Read(raw[6:])
	return strings.ToLower(identifiers.EncodeToString(raw[:]))
}

// UploadTime tells when an identifier was made, to the millisecond; ok is
// false for anything that is not an identifier.
func UploadTime(id string) (made time.Time, ok bool) {
	if len(id) != 24 || strings.ToLower(id) != id {
		return time.Time{}, false
	}
	raw, err := identifiers.DecodeString(strings.ToUpper(id))
	if err != nil {
		return time.Time{}, false
	}
	at := binary.BigEndian.Uint64(append([]byte{0, 0}, raw[:6]...))
	return time.UnixMilli(latest - int64(at)), true
}
