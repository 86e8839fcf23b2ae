package buckets

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/minio/minio-go/v7"
)

// partSize is what is held in memory of an object; a larger one is sent in parts.
const partSize = 16 << 20

// maxParts are what an object is sent in at most.
const maxParts = 10_000

// ErrNotWhole says that an archive ends before its end, or is damaged.
var ErrNotWhole = errors.New("the archive is not whole")

// Import brings the versions of an archive back into a bucket, which is made
// when it is not there. A version is seen in the bucket only once its sums have
// been found right. What the bucket has already is not written again, so that
// an import that was broken off can be repeated; nothing is removed. Versions
// get new ids and times. The Summary tells how far it came also when it fails.
func Import(ctx context.Context, c *minio.Client, name string, r io.Reader, progress func(Summary)) (Summary, error) {
	m := &importer{core: minio.Core{Client: c}, bucket: name, tar: tar.NewReader(r), all: sha256.New(), progress: progress, sum: Summary{Bucket: name}}
	if err := m.run(ctx); err != nil {
		return m.sum, fmt.Errorf("import %s: %w", name, err)
	}
	return m.sum, nil
}

type importer struct {
	core     minio.Core
	bucket   string
	tar      *tar.Reader
	all      hash.Hash
	progress func(Summary)
	sum      Summary

	versioned bool
	key       string             // whose versions there are:
	there     []minio.ObjectInfo // those that come after what was found last, the oldest first
	any       bool               // the bucket has a version of the key
}

func (m *importer) run(ctx context.Context) error {
	text, err := m.small(bucketName)
	if err != nil {
		return fmt.Errorf("this is no archive of drydock s3 export: %w", err)
	}
	var b bucket
	if err := json.Unmarshal(text, &b); err != nil || b.Format != format {
		return fmt.Errorf("this is no archive that this program reads: its format is %d, and not %d", b.Format, format)
	}
	if err := m.prepare(ctx, b); err != nil {
		return err
	}
	for n := int64(1); ; n++ {
		h, err := m.next()
		if err != nil {
			return err
		}
		if h.Name == endName {
			return m.finish(ctx, b, n-1)
		}
		name := entryName(n)
		if h.Name != "versions/"+name+".json" {
			return fmt.Errorf("%w: it has %s where version %d should be", ErrNotWhole, h.Name, n)
		}
		if err := m.version(ctx, name); err != nil {
			return err
		}
		m.progress(m.sum)
	}
}

// prepare makes the bucket, or sees that it can take the archive.
func (m *importer) prepare(ctx context.Context, b bucket) error {
	exists, err := m.core.BucketExists(ctx, m.bucket)
	if err != nil {
		return err
	}
	m.versioned = b.Versioning != ""
	if !exists {
		if err := m.core.MakeBucket(ctx, m.bucket, minio.MakeBucketOptions{}); err != nil {
			return err
		}
		if m.versioned {
			return m.core.EnableVersioning(ctx, m.bucket)
		}
		return nil
	}
	v, err := m.core.GetBucketVersioning(ctx, m.bucket)
	if err != nil {
		return err
	}
	if m.versioned && !v.Enabled() {
		return errors.New("the archive has versions, and the bucket keeps none: enable its versioning, or name another bucket")
	}
	return nil
}

func (m *importer) next() (*tar.Header, error) {
	h, err := m.tar.Next()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it ends after %d versions", ErrNotWhole, m.sum.Versions+m.sum.Skipped)
	}
	return h, err
}

// small reads the next entry, which has to have the given name.
func (m *importer) small(name string) ([]byte, error) {
	h, err := m.next()
	if err != nil {
		return nil, err
	}
	if h.Name != name {
		return nil, fmt.Errorf("%w: it has %s where %s should be", ErrNotWhole, h.Name, name)
	}
	return m.text(h)
}

func (m *importer) text(h *tar.Header) ([]byte, error) {
	if h.Size > maxSmall {
		return nil, fmt.Errorf("%w: %s is too large", ErrNotWhole, h.Name)
	}
	text, err := io.ReadAll(m.tar)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNotWhole, h.Name, err)
	}
	return text, nil
}

// version brings back one version; its entry with what is known is the next to
// be read.
func (m *importer) version(ctx context.Context, name string) error {
	text, err := io.ReadAll(io.LimitReader(m.tar, maxSmall))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWhole, err)
	}
	var v version
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("%w: version %s: %w", ErrNotWhole, name, err)
	}
	h, err := m.next()
	if err != nil {
		return err
	}
	if h.Name != "versions/"+name+".data" || h.Size != v.Size {
		return fmt.Errorf("%w: the data of version %s are missing", ErrNotWhole, name)
	}
	if err := m.look(ctx, v.Key); err != nil {
		return err
	}
	meta, content := sha256.Sum256(text), sha256.New()
	check := func() error {
		line, err := m.small("versions/" + name + ".sha256")
		if err != nil {
			return err
		}
		if string(line) != sums(name, meta[:], content.Sum(nil)) {
			return fmt.Errorf("%w: the sums of version %s are wrong", ErrNotWhole, name)
		}
		_, _ = m.all.Write(line)
		return nil
	}
	if err := m.place(ctx, v, io.TeeReader(m.tar, content), check); err != nil {
		return fmt.Errorf("%q: %w", v.Key, err)
	}
	return nil
}

// place writes a version once check has found its sums right.
func (m *importer) place(ctx context.Context, v version, data io.Reader, check func() error) error {
	if v.Size > partSize {
		return m.placeLarge(ctx, v, data, check)
	}
	content, err := io.ReadAll(data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWhole, err)
	}
	if err := check(); err != nil {
		return err
	}
	etag := md5.Sum(content)
	if found, err := m.found(ctx, v, v.ETag, hex.EncodeToString(etag[:])); err != nil || found {
		return err
	}
	if v.Deleted {
		if err := m.mark(ctx, v.Key); err != nil {
			return err
		}
	} else if _, err := m.core.Client.PutObject(ctx, m.bucket, v.Key, bytes.NewReader(content), v.Size, v.options()); err != nil {
		return err
	}
	m.count(v)
	return nil
}

// placeLarge sends the parts while it reads, and makes the object of them, or
// nothing, when it has read all.
func (m *importer) placeLarge(ctx context.Context, v version, data io.Reader, check func() error) error {
	if found, err := m.found(ctx, v, v.ETag); err != nil || found {
		if err == nil {
			_, err = io.Copy(io.Discard, data)
		}
		return errors.Join(err, check())
	}
	id, err := m.core.NewMultipartUpload(ctx, m.bucket, v.Key, v.options())
	if err != nil {
		return err
	}
	done, err := m.upload(ctx, v, id, data, check)
	if !done {
		err = errors.Join(err, m.core.AbortMultipartUpload(context.WithoutCancel(ctx), m.bucket, v.Key, id))
	}
	return err
}

// upload returns false when the upload is to be given up.
func (m *importer) upload(ctx context.Context, v version, id string, data io.Reader, check func() error) (bool, error) {
	var parts []minio.CompletePart
	etags := md5.New()
	buffer := make([]byte, max(partSize, v.Size/maxParts+1))
	for left := v.Size; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		if _, err := io.ReadFull(data, part); err != nil {
			return false, fmt.Errorf("%w: %w", ErrNotWhole, err)
		}
		p, err := m.core.PutObjectPart(ctx, m.bucket, v.Key, id, len(parts)+1, bytes.NewReader(part), int64(len(part)), minio.PutObjectPartOptions{})
		if err != nil {
			return false, err
		}
		sum := md5.Sum(part)
		_, _ = etags.Write(sum[:])
		parts = append(parts, minio.CompletePart{PartNumber: p.PartNumber, ETag: p.ETag})
		left -= int64(len(part))
	}
	if err := check(); err != nil {
		return false, err
	}
	if found, err := m.found(ctx, v, fmt.Sprintf("%x-%d", etags.Sum(nil), len(parts))); err != nil || found {
		return false, err
	}
	if _, err := m.core.CompleteMultipartUpload(ctx, m.bucket, v.Key, id, parts, minio.PutObjectOptions{}); err != nil {
		return false, err
	}
	m.count(v)
	return true, nil
}

// mark makes a delete marker. Where there is nothing to hide, stores make none:
// there it hides an empty object, which is taken away again.
func (m *importer) mark(ctx context.Context, key string) error {
	var hidden minio.UploadInfo
	if !m.any {
		var err error
		if hidden, err = m.core.Client.PutObject(ctx, m.bucket, key, bytes.NewReader(nil), 0, minio.PutObjectOptions{}); err != nil {
			return err
		}
	}
	// A removal of several makes a delete marker on top of another, too.
	one := make(chan minio.ObjectInfo, 1)
	one <- minio.ObjectInfo{Key: key}
	close(one)
	for failed := range m.core.RemoveObjects(ctx, m.bucket, one, minio.RemoveObjectsOptions{}) {
		return failed.Err
	}
	if m.any {
		return nil
	}
	return m.core.RemoveObject(ctx, m.bucket, key, minio.RemoveObjectOptions{VersionID: hidden.VersionID})
}

// count counts a version that was written. Those of its key that follow have to
// be written after it, whatever the bucket has.
func (m *importer) count(v version) {
	m.there, m.any = m.there[:0], true
	m.sum.Versions++
	m.sum.Bytes += v.Size
}

// look finds out what the bucket has of a key, once for all its versions.
func (m *importer) look(ctx context.Context, key string) error {
	if m.key == key && m.there != nil {
		return nil
	}
	m.key, m.there = key, []minio.ObjectInfo{}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for o := range m.core.Client.ListObjects(ctx, m.bucket, minio.ListObjectsOptions{Prefix: key, Recursive: true, WithVersions: m.versioned}) {
		if o.Err != nil {
			return o.Err
		}
		if o.Key != key {
			break
		}
		m.there = append(m.there, o)
	}
	slices.Reverse(m.there)
	m.any = len(m.there) > 0
	return ctx.Err()
}

// found tells whether the bucket has a version already, after those that were
// found before; its ETag may be one of several.
func (m *importer) found(ctx context.Context, v version, etags ...string) (bool, error) {
	for i, o := range m.there {
		if o.IsDeleteMarker != v.Deleted || !v.Deleted && (o.Size != v.Size || !slices.Contains(etags, o.ETag)) {
			continue
		}
		if same, err := m.same(ctx, v, o); err != nil {
			return false, err
		} else if same {
			m.there = m.there[i+1:]
			m.sum.Skipped++
			return true, nil
		}
	}
	return false, nil
}

// same compares what else is known of a version.
func (m *importer) same(ctx context.Context, v version, o minio.ObjectInfo) (bool, error) {
	if v.Deleted {
		return true, nil
	}
	info, err := m.core.StatObject(ctx, m.bucket, o.Key, minio.StatObjectOptions{VersionID: o.VersionID})
	if err != nil {
		return false, err
	}
	var tags map[string]string
	if info.UserTagCount > 0 {
		t, err := m.core.GetObjectTagging(ctx, m.bucket, o.Key, minio.GetObjectTaggingOptions{VersionID: o.VersionID})
		if err != nil {
			return false, err
		}
		tags = t.ToMap()
	}
	return versionOf(info, tags).describes(v), nil
}

// finish sees that the archive is at its end, and that all was there.
func (m *importer) finish(ctx context.Context, b bucket, versions int64) error {
	text, err := io.ReadAll(io.LimitReader(m.tar, maxSmall))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWhole, err)
	}
	var e end
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("%w: %w", ErrNotWhole, err)
	}
	if e.Versions != versions || e.SHA256 != hex.EncodeToString(m.all.Sum(nil)) {
		return fmt.Errorf("%w: its end is of %d versions, and it has %d", ErrNotWhole, e.Versions, versions)
	}
	if b.Versioning == minio.Suspended {
		return m.core.SuspendVersioning(ctx, m.bucket)
	}
	return nil
}
