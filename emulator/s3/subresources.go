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
	return t
}

func subresources() map[routeKey]route {
	const get, put, del = http.MethodGet, http.MethodPut, http.MethodDelete
	return map[routeKey]route{
		{get, bucketLevel, "tagging"}:             {handle: (*request).getBucketTags},
		{put, bucketLevel, "tagging"}:             {handle: (*request).putBucketTags},
		{del, bucketLevel, "tagging"}:             {handle: (*request).deleteBucketTags},
		{get, bucketLevel, "acl"}:                 {handle: (*request).getACL},
		{put, bucketLevel, "acl"}:                 {handle: (*request).putACL},
		{get, objectLevel, "acl"}:                 {handle: (*request).getACL, params: []string{"versionId"}},
		{put, objectLevel, "acl"}:                 {handle: (*request).putACL, params: []string{"versionId"}},
		{get, bucketLevel, "encryption"}:          {handle: (*request).getEncryption},
		{put, bucketLevel, "encryption"}:          {handle: (*request).putEncryption},
		{del, bucketLevel, "encryption"}:          {handle: (*request).deleteEncryption},
		{get, bucketLevel, "accelerate"}:          {handle: (*request).getAccelerate},
		{get, bucketLevel, "requestPayment"}:      {handle: (*request).getRequestPayment},
		{get, bucketLevel, "logging"}:             {handle: (*request).getLogging},
		{get, bucketLevel, "website"}:             {handle: (*request).getWebsite},
		{del, bucketLevel, "website"}:             {handle: (*request).deleteWebsite},
		{get, bucketLevel, "replication"}:         {handle: (*request).getReplication},
		{put, bucketLevel, "replication"}:         {handle: (*request).putReplication},
		{del, bucketLevel, "replication"}:         {handle: (*request).deleteReplication},
		{get, bucketLevel, "replication-metrics"}: {handle: (*request).getReplication},
	}
}
