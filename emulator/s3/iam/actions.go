package iam

import (
	"slices"
	"strings"
)

// The actions that a policy can name, by what they are done to.
var (
	objectActions = []string{
		"s3:AbortMultipartUpload", "s3:BypassGovernanceRetention", "s3:DeleteObject", "s3:DeleteObjectTagging",
		"s3:DeleteObjectVersion", "s3:DeleteObjectVersionTagging", "s3:GetObject", "s3:GetObjectAttributes",
		"s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectTagging", "s3:GetObjectVersion",
		"s3:GetObjectVersionAttributes", "s3:GetObjectVersionTagging", "s3:ListMultipartUploadParts", "s3:PutObject",
		"s3:PutObjectLegalHold", "s3:PutObjectRetention", "s3:PutObjectTagging", "s3:PutObjectVersionTagging",
	}
	bucketActions = []string{
		"s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ForceDeleteBucket", "s3:GetBucketCors",
		"s3:GetBucketLocation", "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy",
		"s3:GetBucketPolicyStatus", "s3:GetBucketTagging", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration",
		"s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:HeadBucket", "s3:ListAllMyBuckets",
		"s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions", "s3:ListenBucketNotification",
		"s3:ListenNotification", "s3:PutBucketCors", "s3:PutBucketNotification", "s3:PutBucketObjectLockConfiguration",
		"s3:PutBucketPolicy", "s3:PutBucketTagging", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
		"s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
	}
	adminActions = []string{"admin:AttachUserOrGroupPolicy", "admin:CreateUser", "admin:DeleteUser", "admin:ListUsers"}
)

// includes are actions that whoever names the one has named the other, too.
var includes = map[string]string{
	"s3:GetObject":          "s3:GetObjectVersion",
	"s3:HeadBucket":         "s3:ListBucket",
	"s3:ListBucketVersions": "s3:ListBucket",
}

func names(pattern string, actions []string) bool {
	return slices.ContainsFunc(actions, func(action string) bool { return match(pattern, action) })
}

// administrative tells the actions that are about no bucket.
func administrative(pattern string) bool {
	return strings.HasPrefix(pattern, "admin:") || strings.HasPrefix(pattern, "kms:")
}

// Known tells whether a pattern names an action.
func Known(pattern string) bool {
	return pattern == "kms:*" || names(pattern, objectActions) || names(pattern, bucketActions) || names(pattern, adminActions)
}

// fits tells whether an action can be done to one of the resources of a
// bucket's policy.
func fits(action string, resources []string) bool {
	return slices.ContainsFunc(resources, func(resource string) bool {
		below := strings.Contains(resource, "/")
		return !below && names(action, bucketActions) ||
			(below || strings.HasSuffix(resource, "*")) && names(action, objectActions)
	})
}

// listing is what conditions on the parameters of a listing can be about.
var listing = []string{"s3:ListBucket", "s3:ListBucketVersions"}

// conditionKeys are what a condition can be on, in lower case. Of those that
// end in a slash there are many.
var conditionKeys = []string{
	"aws:currenttime", "aws:epochtime", "aws:principaltype", "aws:referer", "aws:securetransport", "aws:sourceip",
	"aws:useragent", "aws:userid", "aws:username",
	"s3:authtype", "s3:delimiter", "s3:existingobjecttag/", "s3:max-keys", "s3:object-lock-legal-hold",
	"s3:object-lock-mode", "s3:object-lock-retain-until-date", "s3:prefix", "s3:requestobjecttag/",
	"s3:requestobjecttagkeys", "s3:signatureage", "s3:signatureversion", "s3:versionid",
	"s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-metadata-directive",
	"s3:x-amz-server-side-encryption", "s3:x-amz-storage-class",
}

// conditionKey brings a condition's key into the form that Request.Value is
// asked for: in lower case but for the name of a tag.
func conditionKey(key string) (string, bool) {
	name, tag, tagged := strings.Cut(key, "/")
	name = strings.ToLower(name)
	if tagged {
		name += "/"
	}
	return name + tag, slices.Contains(conditionKeys, name) && tagged == (tag != "")
}
