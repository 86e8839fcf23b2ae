// Package buckets keeps a bucket of any S3 store in one archive, and brings it
// back. The archive is a tar:
//
//	bucket.json               what it is of
//	versions/00000001.json    the first version: its key and all that is known about it
//	versions/00000001.data    its bytes; a delete marker has none
//	versions/00000001.sha256  the sums of both, as sha256sum writes them
//	…
//	end.json                  how many there are, and the sum of all sums
//
// The versions of a key follow each other from the oldest to the newest. One
// without its sums, and an archive without its end, is not whole. The commands
// drydock s3 export and drydock s3 import are the callers.
package buckets

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
)

const (
	format     = 1
	bucketName = "bucket.json"
	endName    = "end.json"
	maxSmall   = 1 << 20 // bounds an entry that is no data
)

// bucket is what an archive is of.
type bucket struct {
	Format     int       `json:"format"`
	Bucket     string    `json:"bucket"`
	Versioning string    `json:"versioning,omitempty"` // Enabled, Suspended or ""
	Exported   time.Time `json:"exported"`
}

// version is one of an object, or a delete marker.
type version struct {
	Key      string            `json:"key"`
	Version  string            `json:"version,omitempty"` // its id where it was
	Deleted  bool              `json:"deleted,omitempty"` // a delete marker
	Modified time.Time         `json:"modified"`
	Size     int64             `json:"size"`
	ETag     string            `json:"etag,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	User     map[string]string `json:"user,omitempty"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// describes tells whether v says the same of its bytes as other.
func (v version) describes(other version) bool {
	return maps.Equal(v.Headers, other.Headers) && maps.Equal(v.User, other.User) && maps.Equal(v.Tags, other.Tags)
}

// keptHeaders are those that belong to an object.
func keptHeaders() []string {
	return []string{
		"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires",
		"X-Amz-Storage-Class",
	}
}

// versionOf is what an answer to GET or HEAD says.
func versionOf(info minio.ObjectInfo, tags map[string]string) version {
	v := version{
		Key: info.Key, Version: info.VersionID, Modified: info.LastModified.UTC(), Size: info.Size, ETag: info.ETag,
		Headers: map[string]string{}, User: maps.Clone(info.UserMetadata), Tags: tags,
	}
	for _, name := range keptHeaders() {
		if value := info.Headers.Get(name); value != "" && value != "STANDARD" {
			v.Headers[name] = value
		}
	}
	return v
}

// options are how it is written again.
func (v version) options() minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		ContentType: v.Headers["Content-Type"], CacheControl: v.Headers["Cache-Control"],
		ContentDisposition: v.Headers["Content-Disposition"], ContentEncoding: v.Headers["Content-Encoding"],
		ContentLanguage: v.Headers["Content-Language"], StorageClass: v.Headers["X-Amz-Storage-Class"],
		UserMetadata: v.User, UserTags: v.Tags, SendContentMd5: true,
	}
	if t, err := http.ParseTime(v.Headers["Expires"]); err == nil {
		o.Expires = t
	}
	return o
}

// Summary is what an export or an import came to.
type Summary struct {
	Bucket   string `json:"bucket"`
	Versions int64  `json:"versions"` // delete markers among them
	Bytes    int64  `json:"bytes"`
	// Skipped are the versions of an import that were there already.
	Skipped int64 `json:"skipped"`
	// Gone are the objects that were removed while they were exported.
	Gone int64 `json:"gone"`
}

// end closes an archive.
type end struct {
	Versions int64  `json:"versions"`
	Bytes    int64  `json:"bytes"`
	SHA256   string `json:"sha256"` // of all sums, in their order
}

// sums are the text of a version's sums.
func sums(name string, meta, data []byte) string {
	return fmt.Sprintf("%x  %s.json\n%x  %s.data\n", meta, name, data, name)
}

func entryName(n int64) string { return fmt.Sprintf("%08d", n) }

// archive writes one.
type archive struct {
	tar *tar.Writer
	all hash.Hash
	now time.Time
	end end
}

func newArchive(w io.Writer, now time.Time) *archive {
	return &archive{tar: tar.NewWriter(w), all: sha256.New(), now: now}
}

func (a *archive) entry(name string, size int64, data io.Reader) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: a.now}
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(a.tar, data)
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (a *archive) text(name string, text []byte) error {
	return a.entry(name, int64(len(text)), bytes.NewReader(text))
}

func (a *archive) json(name string, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return text, a.text(name, text)
}

// add writes a version with its bytes.
func (a *archive) add(v version, data io.Reader) error {
	name := entryName(a.end.Versions + 1)
	text, err := a.json("versions/"+name+".json", v)
	if err != nil {
		return err
	}
	meta, content := sha256.Sum256(text), sha256.New()
	if err := a.entry("versions/"+name+".data", v.Size, io.TeeReader(data, content)); err != nil {
		return err
	}
	line := sums(name, meta[:], content.Sum(nil))
	_, _ = a.all.Write([]byte(line))
	a.end.Versions++
	a.end.Bytes += v.Size
	return a.text("versions/"+name+".sha256", []byte(line))
}

// close ends the archive, which is whole from then on.
func (a *archive) close() error {
	a.end.SHA256 = hex.EncodeToString(a.all.Sum(nil))
	if _, err := a.json(endName, a.end); err != nil {
		return err
	}
	return a.tar.Close()
}
