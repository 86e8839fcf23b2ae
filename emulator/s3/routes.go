package s3

import "net/http"

// routes are all that is served, in one table. What is not in it is refused.
func routes() map[routeKey]route {
	const get, head, put, post, del = http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete
	overrides := []string{
		"versionId", "partNumber", "response-content-type", "response-content-language", "response-expires",
		"response-cache-control", "response-content-disposition", "response-content-encoding",
	}
	listing := []string{"prefix", "delimiter", "max-keys", "encoding-type", "metadata", "unsorted"}
	with := func(base []string, more ...string) []string { return append(append([]string{}, base...), more...) }
	return map[routeKey]route{
		{get, service, ""}:       {handle: (*request).listBuckets, action: asksItself},
		{get, service, "events"}: {handle: (*request).listen, action: "s3:ListenNotification", params: []string{"prefix", "suffix", "ping"}},
		{get, service, "outbox"}: {handle: (*request).listOutbox, action: "s3:ListenNotification", params: []string{"max"}},

		{put, bucketLevel, ""}:                    {handle: (*request).createBucket, action: "s3:CreateBucket"},
		{head, bucketLevel, ""}:                   {handle: (*request).headBucket, action: "s3:HeadBucket"},
		{del, bucketLevel, ""}:                    {handle: (*request).deleteBucket, action: "s3:DeleteBucket"},
		{get, bucketLevel, "location"}:            {handle: (*request).bucketLocation, action: "s3:GetBucketLocation"},
		{get, bucketLevel, "cors"}:                {handle: (*request).getCORS, action: "s3:GetBucketCors"},
		{put, bucketLevel, "cors"}:                {handle: (*request).putCORS, action: "s3:PutBucketCors"},
		{del, bucketLevel, "cors"}:                {handle: (*request).deleteCORS, action: "s3:PutBucketCors"},
		{get, bucketLevel, "notification"}:        {handle: (*request).getNotification, action: "s3:GetBucketNotification"},
		{put, bucketLevel, "notification"}:        {handle: (*request).putNotification, action: "s3:PutBucketNotification"},
		{get, bucketLevel, "versioning"}:          {handle: (*request).getVersioning, action: "s3:GetBucketVersioning"},
		{get, bucketLevel, ""}:                    {handle: (*request).listObjectsV1, action: "s3:ListBucket", params: with(listing, "marker")},
		{get, bucketLevel, "list-type"}:           {handle: (*request).listObjectsV2, action: "s3:ListBucket", params: with(listing, "continuation-token", "start-after", "fetch-owner")},
		{get, bucketLevel, "uploads"}:             {handle: (*request).listUploads, action: "s3:ListBucketMultipartUploads", params: []string{"prefix", "delimiter", "max-uploads", "encoding-type", "key-marker", "upload-id-marker"}},
		{post, bucketLevel, "delete"}:             {handle: (*request).deleteObjects, action: asksItself},
		{post, bucketLevel, subPOST}:              {handle: (*request).postObject, action: asksItself, public: true},
		{put, bucketLevel, "versioning"}:          {handle: (*request).putVersioning, action: "s3:PutBucketVersioning"},
		{get, bucketLevel, "versions"}:            {handle: (*request).listVersions, action: "s3:ListBucketVersions", params: with(listing, "key-marker", "version-id-marker")},
		{get, bucketLevel, "object-lock"}:         {handle: (*request).getObjectLock, action: "s3:GetBucketObjectLockConfiguration"},
		{put, bucketLevel, "object-lock"}:         {handle: (*request).putObjectLock, action: "s3:PutBucketObjectLockConfiguration"},
		{get, bucketLevel, "events"}:              {handle: (*request).listen, action: "s3:ListenBucketNotification", params: []string{"prefix", "suffix", "ping"}},
		{get, bucketLevel, "tagging"}:             {handle: (*request).getBucketTags, action: "s3:GetBucketTagging"},
		{put, bucketLevel, "tagging"}:             {handle: (*request).putBucketTags, action: "s3:PutBucketTagging"},
		{del, bucketLevel, "tagging"}:             {handle: (*request).deleteBucketTags, action: "s3:PutBucketTagging"},
		{get, bucketLevel, "acl"}:                 {handle: (*request).getACL, action: "s3:GetBucketPolicy"},
		{put, bucketLevel, "acl"}:                 {handle: (*request).putACL, action: "s3:PutBucketPolicy"},
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
		{get, bucketLevel, "policy"}:              {handle: (*request).getBucketPolicy, action: "s3:GetBucketPolicy"},
		{put, bucketLevel, "policy"}:              {handle: (*request).putBucketPolicy, action: "s3:PutBucketPolicy"},
		{del, bucketLevel, "policy"}:              {handle: (*request).deleteBucketPolicy, action: "s3:DeleteBucketPolicy"},
		{get, bucketLevel, "policyStatus"}:        {handle: (*request).getBucketPolicyStatus, action: "s3:GetBucketPolicyStatus"},

		{put, objectLevel, ""}:           {handle: (*request).putObject, action: "s3:PutObject"},
		{get, objectLevel, ""}:           {handle: (*request).getObject, action: "s3:GetObject", params: overrides},
		{head, objectLevel, ""}:          {handle: (*request).getObject, action: "s3:GetObject", params: overrides},
		{del, objectLevel, ""}:           {handle: (*request).deleteObject, action: "s3:DeleteObject", params: []string{"versionId"}},
		{post, objectLevel, "uploads"}:   {handle: (*request).createUpload, action: "s3:PutObject"},
		{put, objectLevel, "uploadId"}:   {handle: (*request).uploadPart, action: "s3:PutObject", params: []string{"partNumber"}},
		{get, objectLevel, "uploadId"}:   {handle: (*request).listParts, action: "s3:ListMultipartUploadParts", params: []string{"max-parts", "part-number-marker", "encoding-type"}},
		{post, objectLevel, "uploadId"}:  {handle: (*request).completeUpload, action: "s3:PutObject"},
		{del, objectLevel, "uploadId"}:   {handle: (*request).abortUpload, action: "s3:AbortMultipartUpload"},
		{get, objectLevel, "retention"}:  {handle: (*request).getRetention, action: "s3:GetObjectRetention", params: []string{"versionId"}},
		{put, objectLevel, "retention"}:  {handle: (*request).putRetention, action: "s3:PutObjectRetention", params: []string{"versionId"}},
		{get, objectLevel, "legal-hold"}: {handle: (*request).getLegalHold, action: "s3:GetObjectLegalHold", params: []string{"versionId"}},
		{put, objectLevel, "legal-hold"}: {handle: (*request).putLegalHold, action: "s3:PutObjectLegalHold", params: []string{"versionId"}},
		{get, objectLevel, "tagging"}:    {handle: (*request).getObjectTags, action: "s3:GetObjectTagging", params: []string{"versionId"}},
		{put, objectLevel, "tagging"}:    {handle: (*request).putObjectTags, action: "s3:PutObjectTagging", params: []string{"versionId"}},
		{del, objectLevel, "tagging"}:    {handle: (*request).deleteObjectTags, action: "s3:DeleteObjectTagging", params: []string{"versionId"}},
		{get, objectLevel, "attributes"}: {handle: (*request).getObjectAttributes, action: "s3:GetObjectAttributes", params: []string{"versionId"}},
		{get, objectLevel, "acl"}:        {handle: (*request).getACL, action: "s3:GetBucketPolicy", params: []string{"versionId"}},
		{put, objectLevel, "acl"}:        {handle: (*request).putACL, action: "s3:PutBucketPolicy", params: []string{"versionId"}},
	}
}
