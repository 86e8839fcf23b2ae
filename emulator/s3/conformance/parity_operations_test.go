package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/tags"
)

var (
	harbour = aws.String("harbour")
	locked  = aws.String("locked")
	hello   = aws.String("hello.txt")
	missing = aws.String("missing.txt")
	parts   = aws.String("parts.bin")
)

// openPolicy lets everybody read.
const openPolicy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::harbour/*"}]}`

// operations build on each other, from the first to the last.
var operations = []operation{
	{"a bucket is made",
		func(ctx context.Context, c minioClient) (any, error) {
			return nil, c.MakeBucket(ctx, "harbour", minio.MakeBucketOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: harbour})
		}},
	{"twice",
		func(ctx context.Context, c minioClient) (any, error) {
			return nil, c.MakeBucket(ctx, "harbour", minio.MakeBucketOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: harbour})
		}},
	{"with a name that is none",
		func(ctx context.Context, c minioClient) (any, error) {
			return nil, c.core.Client.MakeBucket(ctx, "not_a_name", minio.MakeBucketOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: aws.String("Not_a_name")})
		}},
	{"buckets are listed",
		func(ctx context.Context, c minioClient) (any, error) { return c.ListBuckets(ctx) },
		func(ctx context.Context, c awsClient) (any, error) { return c.ListBuckets(ctx, nil) }},
	{"there is none",
		func(ctx context.Context, c minioClient) (any, error) { return c.BucketExists(ctx, "nobody") },
		func(ctx context.Context, c awsClient) (any, error) {
			return c.HeadBucket(ctx, &awss3.HeadBucketInput{Bucket: aws.String("nobody")})
		}},

	{"an object is put",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.PutObject(ctx, "harbour", "hello.txt", strings.NewReader("hello, harbour"), 14, minio.PutObjectOptions{
				ContentType: "text/x", CacheControl: "no-cache", UserMetadata: map[string]string{"color": "red"},
			})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutObject(ctx, &awss3.PutObjectInput{
				Bucket: harbour, Key: hello, Body: strings.NewReader("hello, harbour"),
				ContentType: aws.String("text/x"), CacheControl: aws.String("no-cache"), Metadata: map[string]string{"color": "red"},
			})
		}},
	{"with a checksum",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.PutObject(ctx, "harbour", "summed", strings.NewReader("summed"), 6, minio.PutObjectOptions{Checksum: minio.ChecksumSHA256})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutObject(ctx, &awss3.PutObjectInput{
				Bucket: harbour, Key: aws.String("summed"), Body: strings.NewReader("summed"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
			})
		}},
	{"with a digest that is wrong",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.core.PutObject(ctx, "harbour", "wrong", strings.NewReader("x"), 1, "AAAAAAAAAAAAAAAAAAAAAA==", "", minio.PutObjectOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutObject(ctx, &awss3.PutObjectInput{
				Bucket: harbour, Key: aws.String("wrong"), Body: strings.NewReader("x"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA=="),
			})
		}},
	{"unless there is one",
		func(ctx context.Context, c minioClient) (any, error) {
			o := minio.PutObjectOptions{}
			o.SetMatchETagExcept("*")
			return c.PutObject(ctx, "harbour", "hello.txt", strings.NewReader("x"), 1, o)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutObject(ctx, &awss3.PutObjectInput{Bucket: harbour, Key: hello, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
		}},
	{"into no bucket",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.PutObject(ctx, "nobody", "hello.txt", strings.NewReader("x"), 1, minio.PutObjectOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutObject(ctx, &awss3.PutObjectInput{Bucket: aws.String("nobody"), Key: hello, Body: strings.NewReader("x")})
		}},
	{"it is read",
		func(ctx context.Context, c minioClient) (any, error) {
			body, info, _, err := c.core.GetObject(ctx, "harbour", "hello.txt", minio.GetObjectOptions{})
			text, err := all(body, err)
			return []any{text, info}, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello}))
		}},
	{"a range of it",
		func(ctx context.Context, c minioClient) (any, error) {
			o := minio.GetObjectOptions{}
			if err := o.SetRange(7, 9); err != nil {
				return nil, err
			}
			body, info, header, err := c.core.GetObject(ctx, "harbour", "hello.txt", o)
			text, err := all(body, err)
			return []any{text, info.Size, header.Get("Content-Range")}, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello, Range: aws.String("bytes=7-9")}))
		}},
	{"a range that it does not have",
		func(ctx context.Context, c minioClient) (any, error) {
			o := minio.GetObjectOptions{}
			if err := o.SetRange(70, 90); err != nil {
				return nil, err
			}
			body, _, _, err := c.core.GetObject(ctx, "harbour", "hello.txt", o)
			return all(body, err)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello, Range: aws.String("bytes=70-90")}))
		}},
	{"if it is another",
		func(ctx context.Context, c minioClient) (any, error) {
			o := minio.StatObjectOptions{}
			if err := o.SetMatchETag("00000000000000000000000000000000"); err != nil {
				return nil, err
			}
			return c.StatObject(ctx, "harbour", "hello.txt", o)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello, IfMatch: aws.String(`"0"`)}))
		}},
	{"one that is not there",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.StatObject(ctx, "harbour", "missing.txt", minio.StatObjectOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: missing}))
		}},
	{"its checksum is told",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.StatObject(ctx, "harbour", "summed", minio.StatObjectOptions{Checksum: true})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: harbour, Key: aws.String("summed"), ChecksumMode: types.ChecksumModeEnabled})
		}},
	{"its attributes are told",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.GetObjectAttributes(ctx, "harbour", "summed", minio.ObjectAttributesOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetObjectAttributes(ctx, &awss3.GetObjectAttributesInput{Bucket: harbour, Key: aws.String("summed"), ObjectAttributes: types.ObjectAttributes("").Values()})
		}},
	{"its access is told",
		func(ctx context.Context, c minioClient) (any, error) {
			info, err := c.GetObjectACL(ctx, "harbour", "hello.txt")
			if err != nil {
				return nil, err
			}
			return info.Grant, nil
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetObjectAcl(ctx, &awss3.GetObjectAclInput{Bucket: harbour, Key: hello})
		}},
	{"it is copied, described anew",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "harbour", Object: "copy", ReplaceMetadata: true, UserMetadata: map[string]string{"color": "blue"}},
				minio.CopySrcOptions{Bucket: "harbour", Object: "hello.txt"})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.CopyObject(ctx, &awss3.CopyObjectInput{
				Bucket: harbour, Key: aws.String("copy"), CopySource: aws.String("harbour/hello.txt"),
				MetadataDirective: types.MetadataDirectiveReplace, Metadata: map[string]string{"color": "blue"},
			})
		}},
	{"the copy is told",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.StatObject(ctx, "harbour", "copy", minio.StatObjectOptions{Checksum: true})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: harbour, Key: aws.String("copy"), ChecksumMode: types.ChecksumModeEnabled})
		}},
	{"what is not there is copied",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.CopyObject(ctx, minio.CopyDestOptions{Bucket: "harbour", Object: "copy"}, minio.CopySrcOptions{Bucket: "harbour", Object: "missing.txt"})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.CopyObject(ctx, &awss3.CopyObjectInput{Bucket: harbour, Key: aws.String("copy"), CopySource: aws.String("harbour/missing.txt")})
		}},
	{"keys are listed by folder",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.core.ListObjects("harbour", "", "", "e", 1000)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.ListObjects(ctx, &awss3.ListObjectsInput{Bucket: harbour, Delimiter: aws.String("e")})
		}},
	{"page by page",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.core.ListObjectsV2("harbour", "", "copy", "", "", 1)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.ListObjectsV2(ctx, &awss3.ListObjectsV2Input{Bucket: harbour, StartAfter: aws.String("copy"), MaxKeys: aws.Int32(1)})
		}},

	{"an upload in parts is completed",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.PutObject(ctx, "harbour", "parts.bin", megabytes(11), 11<<20, minio.PutObjectOptions{PartSize: 5 << 20})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			upload, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: harbour, Key: parts})
			if err != nil {
				return nil, err
			}
			var done []types.CompletedPart
			for i, size := range []int{5, 1} {
				part, err := c.UploadPart(ctx, &awss3.UploadPartInput{Bucket: harbour, Key: parts, UploadId: upload.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: megabytes(size)})
				if err != nil {
					return nil, err
				}
				done = append(done, types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32})
			}
			listed, err := c.ListParts(ctx, &awss3.ListPartsInput{Bucket: harbour, Key: parts, UploadId: upload.UploadId})
			if err != nil {
				return nil, err
			}
			completed, err := c.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{
				Bucket: harbour, Key: parts, UploadId: upload.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: done},
			})
			return []any{listed, completed}, err
		}},
	{"what was made of it is told",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.GetObjectAttributes(ctx, "harbour", "parts.bin", minio.ObjectAttributesOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetObjectAttributes(ctx, &awss3.GetObjectAttributesInput{Bucket: harbour, Key: parts, ObjectAttributes: types.ObjectAttributes("").Values()})
		}},
	{"a part that is too small",
		func(ctx context.Context, c minioClient) (any, error) {
			id, err := c.core.NewMultipartUpload(ctx, "harbour", "small", minio.PutObjectOptions{})
			if err != nil {
				return nil, err
			}
			var done []minio.CompletePart
			for number := range 2 {
				part, err := c.core.PutObjectPart(ctx, "harbour", "small", id, number+1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
				if err != nil {
					return nil, err
				}
				done = append(done, minio.CompletePart{PartNumber: part.PartNumber, ETag: part.ETag})
			}
			return c.core.CompleteMultipartUpload(ctx, "harbour", "small", id, done, minio.PutObjectOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			upload, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: harbour, Key: aws.String("small")})
			if err != nil {
				return nil, err
			}
			_, err = c.CompleteMultipartUpload(ctx, &awss3.CompleteMultipartUploadInput{
				Bucket: harbour, Key: aws.String("small"), UploadId: upload.UploadId,
				MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: aws.String("0")}}},
			})
			return nil, err
		}},
	{"uploads under way are listed and given up",
		func(ctx context.Context, c minioClient) (any, error) {
			listed, err := c.core.ListMultipartUploads(ctx, "harbour", "small", "", "", "", 10)
			if err != nil {
				return nil, err
			}
			return listed, c.RemoveIncompleteUpload(ctx, "harbour", "small")
		},
		func(ctx context.Context, c awsClient) (any, error) {
			listed, err := c.ListMultipartUploads(ctx, &awss3.ListMultipartUploadsInput{Bucket: harbour, Prefix: aws.String("small")})
			if err != nil {
				return nil, err
			}
			_, err = c.AbortMultipartUpload(ctx, &awss3.AbortMultipartUploadInput{Bucket: harbour, Key: aws.String("small"), UploadId: listed.Uploads[0].UploadId})
			return listed, err
		}},
	{"an upload that there is not",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.core.PutObjectPart(ctx, "harbour", "small", "nothing", 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.UploadPart(ctx, &awss3.UploadPartInput{Bucket: harbour, Key: aws.String("small"), UploadId: aws.String("nothing"), PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
		}},
	{"an object is made of others",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.ComposeObject(ctx, minio.CopyDestOptions{Bucket: "harbour", Object: "composed"},
				minio.CopySrcOptions{Bucket: "harbour", Object: "parts.bin"}, minio.CopySrcOptions{Bucket: "harbour", Object: "hello.txt"})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			upload, err := c.CreateMultipartUpload(ctx, &awss3.CreateMultipartUploadInput{Bucket: harbour, Key: aws.String("composed")})
			if err != nil {
				return nil, err
			}
			return c.UploadPartCopy(ctx, &awss3.UploadPartCopyInput{
				Bucket: harbour, Key: aws.String("composed"), UploadId: upload.UploadId, PartNumber: aws.Int32(1),
				CopySource: aws.String("harbour/hello.txt"), CopySourceRange: aws.String("bytes=0-4"),
			})
		}},

	{"an object is tagged",
		func(ctx context.Context, c minioClient) (any, error) {
			set, err := tags.NewTags(map[string]string{"kind": "ship"}, true)
			if err != nil {
				return nil, err
			}
			if err := c.PutObjectTagging(ctx, "harbour", "hello.txt", set, minio.PutObjectTaggingOptions{}); err != nil {
				return nil, err
			}
			got, err := c.GetObjectTagging(ctx, "harbour", "hello.txt", minio.GetObjectTaggingOptions{})
			if err != nil {
				return nil, err
			}
			return got.ToMap(), c.RemoveObjectTagging(ctx, "harbour", "hello.txt", minio.RemoveObjectTaggingOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			_, err := c.PutObjectTagging(ctx, &awss3.PutObjectTaggingInput{Bucket: harbour, Key: hello, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("kind"), Value: aws.String("ship")}}}})
			if err != nil {
				return nil, err
			}
			return c.GetObjectTagging(ctx, &awss3.GetObjectTaggingInput{Bucket: harbour, Key: hello})
		}},
	{"a bucket has no tags",
		func(ctx context.Context, c minioClient) (any, error) { return c.GetBucketTagging(ctx, "harbour") },
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetBucketTagging(ctx, &awss3.GetBucketTaggingInput{Bucket: harbour})
		}},
	{"a link is followed",
		func(ctx context.Context, c minioClient) (any, error) {
			link, err := c.PresignedGetObject(ctx, "harbour", "hello.txt", time.Minute, nil)
			if err != nil {
				return nil, err
			}
			return fetch(ctx, http.MethodGet, link.String(), "", nil)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			link, err := c.presign.PresignPutObject(ctx, &awss3.PutObjectInput{Bucket: harbour, Key: aws.String("linked"), Body: strings.NewReader("linked")})
			if err != nil {
				return nil, err
			}
			return fetch(ctx, link.Method, link.URL, "linked", link.SignedHeader)
		}},
	{"a link that was changed",
		func(ctx context.Context, c minioClient) (any, error) {
			link, err := c.PresignedGetObject(ctx, "harbour", "hello.txt", time.Minute, nil)
			if err != nil {
				return nil, err
			}
			return fetch(ctx, http.MethodDelete, link.String(), "", nil)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			link, err := c.presign.PresignGetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello})
			if err != nil {
				return nil, err
			}
			return fetch(ctx, link.Method, strings.Replace(link.URL, "hello.txt", "copy", 1), "", link.SignedHeader)
		}},

	{"rules of a life are set",
		func(ctx context.Context, c minioClient) (any, error) {
			rules := lifecycle.NewConfiguration()
			rules.Rules = []lifecycle.Rule{{ID: "old", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "logs/"}, Expiration: lifecycle.Expiration{Days: 7}}}
			if err := c.SetBucketLifecycle(ctx, "harbour", rules); err != nil {
				return nil, err
			}
			return c.GetBucketLifecycle(ctx, "harbour")
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetBucketLifecycleConfiguration(ctx, &awss3.GetBucketLifecycleConfigurationInput{Bucket: harbour})
		}},
	{"nobody is told of events",
		func(ctx context.Context, c minioClient) (any, error) { return c.GetBucketNotification(ctx, "harbour") },
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetBucketNotificationConfiguration(ctx, &awss3.GetBucketNotificationConfigurationInput{Bucket: harbour})
		}},
	{"one who is not there is to be told",
		func(ctx context.Context, c minioClient) (any, error) {
			queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", "NOBODY", "nats"))
			queue.AddEvents(notification.ObjectCreatedAll)
			var rules notification.Configuration
			rules.AddQueue(queue)
			return nil, c.SetBucketNotification(ctx, "harbour", rules)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutBucketNotificationConfiguration(ctx, &awss3.PutBucketNotificationConfigurationInput{
				Bucket: harbour, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{
					{QueueArn: aws.String("arn:minio:sqs::NOBODY:nats"), Events: []types.Event{types.EventS3ObjectCreated}},
				}},
			})
		}},

	{"anybody may read",
		func(ctx context.Context, c minioClient) (any, error) {
			if err := c.SetBucketPolicy(ctx, "harbour", openPolicy); err != nil {
				return nil, err
			}
			read, err := fetch(ctx, http.MethodGet, c.EndpointURL().JoinPath("harbour", "hello.txt").String(), "", nil)
			if err != nil {
				return nil, err
			}
			written, err := fetch(ctx, http.MethodPut, c.EndpointURL().JoinPath("harbour", "hello.txt").String(), "x", nil)
			return []any{read, written}, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			if _, err := c.PutBucketPolicy(ctx, &awss3.PutBucketPolicyInput{Bucket: harbour, Policy: aws.String(openPolicy)}); err != nil {
				return nil, err
			}
			return c.GetBucketPolicy(ctx, &awss3.GetBucketPolicyInput{Bucket: harbour})
		}},
	{"a policy of another bucket",
		func(ctx context.Context, c minioClient) (any, error) {
			return nil, c.SetBucketPolicy(ctx, "harbour", `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::elsewhere/*"}]}`)
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.PutBucketPolicy(ctx, &awss3.PutBucketPolicyInput{Bucket: harbour, Policy: aws.String("{")})
		}},
	{"it is taken back",
		func(ctx context.Context, c minioClient) (any, error) {
			if err := c.SetBucketPolicy(ctx, "harbour", ""); err != nil {
				return nil, err
			}
			return c.GetBucketPolicy(ctx, "harbour")
		},
		func(ctx context.Context, c awsClient) (any, error) {
			if _, err := c.DeleteBucketPolicy(ctx, &awss3.DeleteBucketPolicyInput{Bucket: harbour}); err != nil {
				return nil, err
			}
			return c.GetBucketPolicy(ctx, &awss3.GetBucketPolicyInput{Bucket: harbour})
		}},

	{"versions are kept",
		func(ctx context.Context, c minioClient) (any, error) {
			if err := c.EnableVersioning(ctx, "harbour"); err != nil {
				return nil, err
			}
			if err := c.RemoveObject(ctx, "harbour", "hello.txt", minio.RemoveObjectOptions{}); err != nil {
				return nil, err
			}
			_, err := c.StatObject(ctx, "harbour", "hello.txt", minio.StatObjectOptions{})
			return nil, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			_, err := c.PutBucketVersioning(ctx, &awss3.PutBucketVersioningInput{Bucket: harbour, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
			if err != nil {
				return nil, err
			}
			return c.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: harbour, Key: hello})
		}},
	{"the versions are listed",
		func(ctx context.Context, c minioClient) (any, error) {
			var listed []minio.ObjectInfo
			for info := range c.ListObjectsIter(ctx, "harbour", minio.ListObjectsOptions{WithVersions: true, Prefix: "hello", WithMetadata: true}) {
				listed = append(listed, info)
			}
			return listed, nil
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.ListObjectVersions(ctx, &awss3.ListObjectVersionsInput{Bucket: harbour, Prefix: aws.String("hello")})
		}},
	{"an older one is read",
		func(ctx context.Context, c minioClient) (any, error) {
			body, info, _, err := c.core.GetObject(ctx, "harbour", "hello.txt", minio.GetObjectOptions{VersionID: "null"})
			text, err := all(body, err)
			return []any{text, info.VersionID}, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello, VersionId: aws.String("null")}))
		}},
	{"one that there is not",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.StatObject(ctx, "harbour", "hello.txt", minio.StatObjectOptions{VersionID: "11111111-2222-3333-4444-555555555555"})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return read(c.GetObject(ctx, &awss3.GetObjectInput{Bucket: harbour, Key: hello, VersionId: aws.String("11111111-2222-3333-4444-555555555555")}))
		}},
	{"several are deleted",
		func(ctx context.Context, c minioClient) (any, error) {
			objects := make(chan minio.ObjectInfo, 2)
			objects <- minio.ObjectInfo{Key: "copy"}
			objects <- minio.ObjectInfo{Key: "hello.txt", VersionID: "null"}
			close(objects)
			deleted := map[string]minio.RemoveObjectResult{}
			for result := range c.RemoveObjectsWithResult(ctx, "harbour", objects, minio.RemoveObjectsOptions{}) {
				deleted[result.ObjectName] = result
			}
			return deleted, nil
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.DeleteObjects(ctx, &awss3.DeleteObjectsInput{Bucket: harbour, Delete: &types.Delete{Objects: []types.ObjectIdentifier{
				{Key: aws.String("copy")}, {Key: hello, VersionId: aws.String("null")},
			}}})
		}},
	{"the bucket is not empty",
		func(ctx context.Context, c minioClient) (any, error) { return nil, c.RemoveBucket(ctx, "harbour") },
		func(ctx context.Context, c awsClient) (any, error) {
			return c.DeleteBucket(ctx, &awss3.DeleteBucketInput{Bucket: harbour})
		}},

	{"a bucket with locks",
		func(ctx context.Context, c minioClient) (any, error) {
			if err := c.MakeBucket(ctx, "locked", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
				return nil, err
			}
			mode, validity, unit, err := c.GetBucketObjectLockConfig(ctx, "locked")
			return []any{mode, validity, unit}, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			if _, err := c.CreateBucket(ctx, &awss3.CreateBucketInput{Bucket: locked, ObjectLockEnabledForBucket: aws.Bool(true)}); err != nil {
				return nil, err
			}
			return c.GetObjectLockConfiguration(ctx, &awss3.GetObjectLockConfigurationInput{Bucket: locked})
		}},
	{"what is held stays",
		func(ctx context.Context, c minioClient) (any, error) {
			info, err := c.PutObject(ctx, "locked", "held", strings.NewReader("x"), 1, minio.PutObjectOptions{LegalHold: minio.LegalHoldEnabled})
			if err != nil {
				return nil, err
			}
			return info, c.RemoveObject(ctx, "locked", "held", minio.RemoveObjectOptions{VersionID: info.VersionID})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			info, err := c.PutObject(ctx, &awss3.PutObjectInput{
				Bucket: locked, Key: aws.String("held"), Body: strings.NewReader("x"),
				ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: aws.Time(time.Now().Add(time.Hour)),
			})
			if err != nil {
				return nil, err
			}
			return c.DeleteObject(ctx, &awss3.DeleteObjectInput{Bucket: locked, Key: aws.String("held"), VersionId: info.VersionId})
		}},
	{"the lock is told",
		func(ctx context.Context, c minioClient) (any, error) {
			return c.GetObjectLegalHold(ctx, "locked", "held", minio.GetObjectLegalHoldOptions{})
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.HeadObject(ctx, &awss3.HeadObjectInput{Bucket: locked, Key: aws.String("held")})
		}},
	{"where there are no locks",
		func(ctx context.Context, c minioClient) (any, error) {
			_, _, _, err := c.GetBucketObjectLockConfig(ctx, "harbour")
			return nil, err
		},
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetObjectLockConfiguration(ctx, &awss3.GetObjectLockConfigurationInput{Bucket: harbour})
		}},
	{"nothing is encrypted",
		func(ctx context.Context, c minioClient) (any, error) { return c.GetBucketEncryption(ctx, "harbour") },
		func(ctx context.Context, c awsClient) (any, error) {
			return c.GetBucketEncryption(ctx, &awss3.GetBucketEncryptionInput{Bucket: harbour})
		}},
}

// read is an answer with its body read.
func read(answer *awss3.GetObjectOutput, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	text, err := all(answer.Body, nil)
	answer.Body = io.NopCloser(nil)
	return []any{text, answer}, err
}
