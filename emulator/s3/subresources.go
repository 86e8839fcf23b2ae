package s3

import (
	"maps"
	"net/http"
)

// table is every route: the objects' and buckets' own, and those of what a
// bucket is told about itself.
func table() map[routeKey]route {
	t := routes()
	maps.Copy(t, subresources())
	maps.Copy(t, bucketPolicyRoutes())
	return t
}

func subresources() map[routeKey]route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	return map[routeKey]route{
		{get, service, "events"}:                  {handle: (*request).listen, action: "s3:ListenNotification", params: []string{"prefix", "suffix", "ping"}},
		{get, service, "outbox"}:                  {handle: (*request).listOutbox, action: "s3:ListenNotification", params: []string{"max"}},
		{get, bucketLevel, "events"}:              {handle: (*request).listen, action: "s3:ListenBucketNotification", params: []string{"prefix", "suffix", "ping"}},
		{get, bucketLevel, "tagging"}:             {handle: (*request).getBucketTags, action: "s3:GetBucketTagging"},
		{put, bucketLevel, "tagging"}:             {handle: (*request).putBucketTags, action: "s3:PutBucketTagging"},
		{del, bucketLevel, "tagging"}:             {handle: (*request).deleteBucketTags, action: "s3:PutBucketTagging"},
		{get, bucketLevel, "acl"}:                 {handle: (*request).getACL, action: "s3:GetBucketPolicy"},
		{put, bucketLevel, "acl"}:                 {handle: (*request).putACL, action: "s3:PutBucketPolicy"},
		{get, objectLevel, "acl"}:                 {handle: (*request).getACL, action: "s3:GetBucketPolicy", params: []string{"versionId"}},
		{put, objectLevel, "acl"}:                 {handle: (*request).putACL, action: "s3:PutBucketPolicy", params: []string{"versionId"}},
		{get, bucketLevel, "encryption"}:          {handle: (*request).getEncryption, action: "s3:GetEncryptionConfiguration"},
		{put, bucketLevel, "encryption"}:          {handle: (*request).putEncryption, action: "s3:PutEncryptionConfiguration"},
		{del, bucketLevel, "encryption"}:          {handle: (*request).deleteEncryption, action: "s3:PutEncryptionConfiguration"},
		{get, bucketLevel, "lifecycle"}:           {handle: (*request).getLifecycle, action: "s3:GetLifecycleConfiguration", params: []string{"withUpdatedAt"}},
		{put, bucketLevel, "lifecycle"}:           {handle: (*request).putLifecycle, action: "s3:PutLifecycleConfiguration"},
		{del, bucketLevel, "lifecycle"}:           {handle: (*request).deleteLifecycle, action: "s3:PutLifecycleConfiguration"},
		{get, bucketLevel, "accelerate"}:          {handle: (*request).getAccelerate, action: "s3:GetBucketPolicy"},
		{get, bucketLevel, "requestPayment"}:      {handle: (*request).getRequestPayment, action: "s3:GetBucketPolicy"},
		{get, bucketLevel, "logging"}:             {handle: (*request).getLogging, action: "s3:GetBucketPolicy"},
		{get, bucketLevel, "website"}:             {handle: (*request).getWebsite, action: "s3:GetBucketPolicy"},
		{del, bucketLevel, "website"}:             {handle: (*request).deleteWebsite, action: "s3:DeleteBucketPolicy"},
		{get, bucketLevel, "replication"}:         {handle: (*request).getReplication, action: "s3:GetReplicationConfiguration"},
		{put, bucketLevel, "replication"}:         {handle: (*request).putReplication, action: "s3:PutReplicationConfiguration"},
		{del, bucketLevel, "replication"}:         {handle: (*request).deleteReplication, action: "s3:PutReplicationConfiguration"},
		{get, bucketLevel, "replication-metrics"}: {handle: (*request).getReplication, action: "s3:GetReplicationConfiguration"},
	}
}
