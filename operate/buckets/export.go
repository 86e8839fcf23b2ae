package buckets

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"
)

// Export writes a bucket to w: all objects with what is known about them, and
// all versions where it has or had versioning. What it holds in memory does not
// grow with the bucket. progress is called after each version.
func Export(ctx context.Context, c *minio.Client, name string, w io.Writer, progress func(Summary)) (Summary, error) {
	x := &exporter{core: minio.Core{Client: c}, archive: newArchive(w, time.Now()), progress: progress, sum: Summary{Bucket: name}}
	if err := x.run(ctx, name); err != nil {
		return x.sum, fmt.Errorf("export %s: %w", name, err)
	}
	return x.sum, nil
}

type exporter struct {
	core     minio.Core
	archive  *archive
	progress func(Summary)
	sum      Summary
}

func (x *exporter) run(ctx context.Context, name string) error {
	versioning, err := x.core.GetBucketVersioning(ctx, name)
	if err != nil {
		return err
	}
	b := bucket{Format: format, Bucket: name, Versioning: versioning.Status, Exported: x.archive.now.UTC()}
	if _, err := x.archive.json(bucketName, b); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var key []minio.ObjectInfo // the versions of one key, the newest first
	for o := range x.core.Client.ListObjects(ctx, name, minio.ListObjectsOptions{Recursive: true, WithVersions: versioning.Status != ""}) {
		if o.Err != nil {
			return o.Err
		}
		if len(key) > 0 && key[0].Key != o.Key {
			if err := x.key(ctx, name, key); err != nil {
				return err
			}
			key = key[:0]
		}
		key = append(key, o)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := x.key(ctx, name, key); err != nil {
		return err
	}
	return x.archive.close()
}

// key writes the versions of one key, the oldest first.
func (x *exporter) key(ctx context.Context, bucket string, versions []minio.ObjectInfo) error {
	for _, o := range slices.Backward(versions) {
		if err := x.version(ctx, bucket, o); err != nil {
			return fmt.Errorf("%q: %w", o.Key, err)
		}
		x.progress(x.sum)
	}
	return nil
}

func (x *exporter) version(ctx context.Context, bucket string, o minio.ObjectInfo) error {
	if o.IsDeleteMarker {
		v := version{Key: o.Key, Version: o.VersionID, Deleted: true, Modified: o.LastModified.UTC()}
		return x.count(v, x.archive.add(v, bytes.NewReader(nil)))
	}
	body, info, _, err := x.core.GetObject(ctx, bucket, o.Key, minio.GetObjectOptions{VersionID: o.VersionID})
	if minio.ToErrorResponse(err).StatusCode == http.StatusNotFound {
		x.sum.Gone++
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	info.Key = o.Key
	var tags map[string]string
	if info.UserTagCount > 0 {
		t, err := x.core.GetObjectTagging(ctx, bucket, o.Key, minio.GetObjectTaggingOptions{VersionID: o.VersionID})
		if err != nil {
			return err
		}
		tags = t.ToMap()
	}
	v := versionOf(info, tags)
	return x.count(v, x.archive.add(v, body))
}

func (x *exporter) count(v version, err error) error {
	if err == nil {
		x.sum.Versions++
		x.sum.Bytes += v.Size
	}
	return err
}
