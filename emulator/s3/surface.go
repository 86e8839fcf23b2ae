package s3

import "net/http"

// operation is one of the API. SURFACE.md is written from these: one without a
// handler is absent, and answers NotImplemented with the reason.
type operation struct {
	routeKey
	name  string
	lacks string // what is missing, or why it is absent; empty when it is faithful
}

// operations are all of S3's, and MinIO's own for buckets and objects.
func operations() []operation {
	const get, head, put, post, del = http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete
	var all []operation
	part := func(name, method string, at level, sub, lacks string) {
		all = append(all, operation{routeKey{method, at, sub}, name, lacks})
	}
	full := func(name, method string, at level, sub string) { part(name, method, at, sub, "") }

	full("ListBuckets", get, service, "")
	full("ListenNotification", get, service, "events")
	part("ListOutbox", get, service, "outbox", "Drydock's own: the events that no destination has accepted yet")

	full("CreateBucket", put, bucketLevel, "")
	full("HeadBucket", head, bucketLevel, "")
	full("DeleteBucket", del, bucketLevel, "")
	full("GetBucketLocation", get, bucketLevel, "location")
	full("ListObjects", get, bucketLevel, "")
	full("ListObjectsV2", get, bucketLevel, "list-type")
	full("ListMultipartUploads", get, bucketLevel, "uploads")
	full("DeleteObjects", post, bucketLevel, "delete")
	full("PostObject", post, bucketLevel, subPOST)
	full("GetBucketCors", get, bucketLevel, "cors")
	full("PutBucketCors", put, bucketLevel, "cors")
	full("DeleteBucketCors", del, bucketLevel, "cors")
	full("GetBucketNotificationConfiguration", get, bucketLevel, "notification")
	full("PutBucketNotificationConfiguration", put, bucketLevel, "notification")
	full("GetBucketVersioning", get, bucketLevel, "versioning")
	full("PutBucketVersioning", put, bucketLevel, "versioning")
	full("ListObjectVersions", get, bucketLevel, "versions")
	full("GetObjectLockConfiguration", get, bucketLevel, "object-lock")
	full("PutObjectLockConfiguration", put, bucketLevel, "object-lock")
	const noTiers = "no transitions, as there are no tiers; unlike in MinIO, uploads can be given up"
	part("GetBucketLifecycleConfiguration", get, bucketLevel, "lifecycle", noTiers)
	part("PutBucketLifecycleConfiguration", put, bucketLevel, "lifecycle", noTiers)
	full("DeleteBucketLifecycle", del, bucketLevel, "lifecycle")
	full("GetBucketPolicy", get, bucketLevel, "policy")
	full("PutBucketPolicy", put, bucketLevel, "policy")
	full("DeleteBucketPolicy", del, bucketLevel, "policy")
	full("GetBucketPolicyStatus", get, bucketLevel, "policyStatus")
	full("ListenBucketNotification", get, bucketLevel, "events")
	full("GetBucketTagging", get, bucketLevel, "tagging")
	full("PutBucketTagging", put, bucketLevel, "tagging")
	full("DeleteBucketTagging", del, bucketLevel, "tagging")
	const acls = "private is the only ACL, as in MinIO: policies say who may do what"
	part("GetBucketAcl", get, bucketLevel, "acl", acls)
	part("PutBucketAcl", put, bucketLevel, "acl", acls)
	const noKMS = "there is no KMS: no bucket encrypts by itself, and none can be told to"
	part("GetBucketEncryption", get, bucketLevel, "encryption", noKMS)
	part("PutBucketEncryption", put, bucketLevel, "encryption", noKMS)
	part("DeleteBucketEncryption", del, bucketLevel, "encryption", noKMS)
	const noReplication = "there are no remote targets: no bucket is replicated, and none can be told to be"
	part("GetBucketReplication", get, bucketLevel, "replication", noReplication)
	part("PutBucketReplication", put, bucketLevel, "replication", noReplication)
	part("DeleteBucketReplication", del, bucketLevel, "replication", noReplication)
	part("GetBucketReplicationMetrics", get, bucketLevel, "replication-metrics", noReplication)
	const always = "says how every bucket is; it cannot be changed"
	part("GetBucketAccelerateConfiguration", get, bucketLevel, "accelerate", always)
	part("GetBucketLogging", get, bucketLevel, "logging", always)
	part("GetBucketRequestPayment", get, bucketLevel, "requestPayment", always)
	part("GetBucketWebsite", get, bucketLevel, "website", always)
	part("DeleteBucketWebsite", del, bucketLevel, "website", always)
	const minio = "MinIO does not have it"
	part("PutBucketAccelerateConfiguration", put, bucketLevel, "accelerate", minio)
	part("PutBucketLogging", put, bucketLevel, "logging", minio)
	part("PutBucketRequestPayment", put, bucketLevel, "requestPayment", minio)
	part("PutBucketWebsite", put, bucketLevel, "website", minio)
	for _, sub := range []struct{ name, sub string }{
		{"BucketAnalyticsConfiguration", "analytics"}, {"BucketInventoryConfiguration", "inventory"},
		{"BucketMetricsConfiguration", "metrics"}, {"BucketIntelligentTieringConfiguration", "intelligent-tiering"},
		{"BucketOwnershipControls", "ownershipControls"}, {"PublicAccessBlock", "publicAccessBlock"},
	} {
		part("Get"+sub.name, get, bucketLevel, sub.sub, minio)
		part("Put"+sub.name, put, bucketLevel, sub.sub, minio)
		part("Delete"+sub.name, del, bucketLevel, sub.sub, minio)
	}
	part("GetBucketAbac", get, bucketLevel, "abac", minio)
	part("PutBucketAbac", put, bucketLevel, "abac", minio)
	part("CreateSession", get, bucketLevel, "session", minio)
	for _, sub := range []struct{ name, sub string }{
		{"BucketMetadataConfiguration", "metadataConfiguration"}, {"BucketMetadataTableConfiguration", "metadataTable"},
	} {
		part("Create"+sub.name, post, bucketLevel, sub.sub, minio)
		part("Get"+sub.name, get, bucketLevel, sub.sub, minio)
		part("Delete"+sub.name, del, bucketLevel, sub.sub, minio)
	}
	part("UpdateBucketMetadataInventoryTableConfiguration", put, bucketLevel, "metadataInventoryTable", minio)
	part("UpdateBucketMetadataJournalTableConfiguration", put, bucketLevel, "metadataJournalTable", minio)

	const noSSE = "no encryption with keys that the client brings (SSE-C)"
	part("PutObject, CopyObject", put, objectLevel, "", noSSE)
	part("GetObject", get, objectLevel, "", noSSE)
	part("HeadObject", head, objectLevel, "", noSSE)
	full("DeleteObject", del, objectLevel, "")
	part("CreateMultipartUpload", post, objectLevel, "uploads", noSSE)
	part("UploadPart, UploadPartCopy", put, objectLevel, "uploadId", noSSE)
	full("ListParts", get, objectLevel, "uploadId")
	full("CompleteMultipartUpload", post, objectLevel, "uploadId")
	full("AbortMultipartUpload", del, objectLevel, "uploadId")
	full("GetObjectAttributes", get, objectLevel, "attributes")
	full("GetObjectTagging", get, objectLevel, "tagging")
	full("PutObjectTagging", put, objectLevel, "tagging")
	full("DeleteObjectTagging", del, objectLevel, "tagging")
	full("GetObjectRetention", get, objectLevel, "retention")
	full("PutObjectRetention", put, objectLevel, "retention")
	full("GetObjectLegalHold", get, objectLevel, "legal-hold")
	full("PutObjectLegalHold", put, objectLevel, "legal-hold")
	part("GetObjectAcl", get, objectLevel, "acl", acls)
	part("PutObjectAcl", put, objectLevel, "acl", acls)
	part("GetObjectTorrent", get, objectLevel, "torrent", minio)
	part("RenameObject", put, objectLevel, "renameObject", minio)
	part("UpdateObjectEncryption", put, objectLevel, "encryption", minio)
	part("RestoreObject", post, objectLevel, "restore", "there are no tiers to restore from")
	part("SelectObjectContent", post, objectLevel, "select", "MinIO's is an SQL engine of its own")
	return all
}

// absent says of what is not in the table of routes why.
func absent(table map[routeKey]route) map[routeKey]operation {
	missing := map[routeKey]operation{}
	for _, o := range operations() {
		if _, ok := table[o.routeKey]; !ok {
			missing[o.routeKey] = o
		}
	}
	return missing
}
