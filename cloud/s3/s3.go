// Package s3 provides cloud.Objects on any S3-compatible store: MinIO, AWS S3,
// the emulator and others.
//
// A bucket is named by a URL: s3+http://host:port/bucket or
// s3+https://host[:port]/bucket for a store by its address, s3://bucket for
// AWS itself; ?region=… where it is not us-east-1. Credentials are never part
// of the URL: they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY,
// the shared credentials file, or the machine's or container's role.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/drydock/drydock/cloud"
)

const (
	defaultRegion = "us-east-1"
	awsEndpoint   = "s3.amazonaws.com"

	maxKey   = 1024
	maxValid = 7 * 24 * time.Hour

	// connections kept open to the store; the default of two makes
	// concurrent workers dial anew all the time.
	connections = 128
)

// Objects is a cloud.Objects on one bucket.
type Objects struct {
	client *minio.Client
	bucket string
}

// Open prepares the bucket that the URL names; the store is first asked when
// it is used. Nil credentials mean those of the environment.
func Open(rawURL string, keys *credentials.Credentials) (*Objects, error) {
	endpoint, bucket, secure, region, err := parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, fmt.Errorf("open object store: %w", err)
	}
	transport.MaxIdleConnsPerHost = connections
	if keys == nil {
		keys = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{},
			&credentials.FileAWSCredentials{},
			&credentials.IAM{Client: &http.Client{Transport: transport}},
		})
	}
	client, err := minio.New(endpoint, &minio.Options{
		Creds:     keys,
		Secure:    secure,
		Region:    region, // known, so that signing asks nobody
		Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("open object store %s: %w", endpoint, err)
	}
	return &Objects{client: client, bucket: bucket}, nil
}

func parse(rawURL string) (endpoint, bucket string, secure bool, region string, err error) {
	const form = "the URL must be s3+http://host:port/bucket, s3+https://host/bucket or s3://bucket, with ?region= where it is not us-east-1"
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return "", "", false, "", errors.New(form)
	}
	if u.User != nil {
		return "", "", false, "", errors.New("credentials do not belong in the URL: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	region = u.Query().Get("region")
	if region == "" {
		region = defaultRegion
	}
	bucket = strings.Trim(u.Path, "/")
	switch {
	case u.Scheme == "s3" && bucket == "":
		return awsEndpoint, u.Host, true, region, nil
	case (u.Scheme == "s3+http" || u.Scheme == "s3+https") && bucket != "" && !strings.Contains(bucket, "/"):
		return u.Host, bucket, u.Scheme == "s3+https", region, nil
	}
	return "", "", false, "", errors.New(form)
}

// Bucket implements cloud.Objects.
func (o *Objects) Bucket() string { return o.bucket }

// Ready implements cloud.Objects.
func (o *Objects) Ready(ctx context.Context) error {
	exists, err := o.client.BucketExists(ctx, o.bucket)
	if err != nil {
		return fmt.Errorf("object store does not answer: %w", err)
	}
	if !exists {
		return fmt.Errorf("bucket %s: %w", o.bucket, cloud.ErrNotFound)
	}
	return nil
}

// Put implements cloud.Objects.
func (o *Objects) Put(ctx context.Context, key string, body io.Reader, size int64, options cloud.PutOptions) (cloud.ObjectInfo, error) {
	if err := checkKey(key); err != nil {
		return cloud.ObjectInfo{}, err
	}
	if size < 0 {
		return cloud.ObjectInfo{}, fmt.Errorf("put object %s: size %d: %w", key, size, cloud.ErrInvalid)
	}
	put := minio.PutObjectOptions{ContentType: options.ContentType, CacheControl: options.CacheControl}
	if options.IfAbsent {
		put.SetMatchETagExcept("*")
	}
	exact := &exactReader{from: body, left: size}
	info, err := o.client.PutObject(ctx, o.bucket, key, exact, size, put)
	if err == nil {
		err = exact.finish()
	}
	if err != nil {
		return cloud.ObjectInfo{}, translate("put", key, err)
	}
	return cloud.ObjectInfo{Key: key, Size: size, ETag: info.ETag, ContentType: options.ContentType}, nil
}

// Get implements cloud.Objects.
func (o *Objects) Get(ctx context.Context, key string) (io.ReadCloser, cloud.ObjectInfo, error) {
	core := minio.Core{Client: o.client}
	body, info, _, err := core.GetObject(ctx, o.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, cloud.ObjectInfo{}, translate("get", key, err)
	}
	return body, describe(info), nil
}

// Head implements cloud.Objects.
func (o *Objects) Head(ctx context.Context, key string) (cloud.ObjectInfo, error) {
	info, err := o.client.StatObject(ctx, o.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return cloud.ObjectInfo{}, translate("head", key, err)
	}
	return describe(info), nil
}

// Copy implements cloud.Objects.
func (o *Objects) Copy(ctx context.Context, from, to string) (cloud.ObjectInfo, error) {
	if err := checkKey(to); err != nil {
		return cloud.ObjectInfo{}, err
	}
	if _, err := o.client.CopyObject(ctx,
		minio.CopyDestOptions{Bucket: o.bucket, Object: to},
		minio.CopySrcOptions{Bucket: o.bucket, Object: from},
	); err != nil {
		return cloud.ObjectInfo{}, translate("copy", from, err)
	}
	return o.Head(ctx, to)
}

// Delete implements cloud.Objects.
func (o *Objects) Delete(ctx context.Context, key string) error {
	if err := o.client.RemoveObject(ctx, o.bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return translate("delete", key, err)
	}
	return nil
}

// List implements cloud.Objects.
func (o *Objects) List(ctx context.Context, prefix, after string) iter.Seq2[cloud.ObjectInfo, error] {
	return func(yield func(cloud.ObjectInfo, error) bool) {
		options := minio.ListObjectsOptions{Prefix: prefix, StartAfter: after, Recursive: true}
		for info := range o.client.ListObjectsIter(ctx, o.bucket, options) {
			if info.Err != nil {
				yield(cloud.ObjectInfo{}, translate("list", prefix, info.Err))
				return
			}
			if !yield(describe(info), nil) {
				return
			}
		}
	}
}

// Folders implements cloud.Objects.
func (o *Objects) Folders(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for info := range o.client.ListObjectsIter(ctx, o.bucket, minio.ListObjectsOptions{Prefix: prefix}) {
			if info.Err != nil {
				yield("", translate("list", prefix, info.Err))
				return
			}
			if strings.HasSuffix(info.Key, "/") && !yield(info.Key, nil) {
				return
			}
		}
	}
}

// describe drops the quotes that some stores leave around an ETag.
func describe(info minio.ObjectInfo) cloud.ObjectInfo {
	return cloud.ObjectInfo{
		Key:         info.Key,
		Size:        info.Size,
		ETag:        strings.Trim(info.ETag, `"`),
		ContentType: info.ContentType,
		Modified:    info.LastModified,
	}
}

func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return fmt.Errorf("object key of %d bytes: 1 to %d are allowed: %w", len(key), maxKey, cloud.ErrInvalid)
	}
	return nil
}

// translate names the operation and maps the store's answer to the vocabulary.
func translate(operation, key string, err error) error {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		switch {
		case answer.Code == minio.NoSuchKey || answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket:
			err = cloud.ErrNotFound
		case answer.Code == minio.PreconditionFailed || answer.StatusCode == http.StatusPreconditionFailed:
			err = cloud.ErrExists
		case answer.Code == "ConditionalRequestConflict": // racers on AWS: the loser is told to look again
			err = cloud.ErrExists
		}
	}
	return fmt.Errorf("%s object %s: %w", operation, key, err)
}
