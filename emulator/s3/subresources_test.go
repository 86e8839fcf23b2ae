package s3

import (
	"fmt"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7/pkg/sse"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/stretchr/testify/require"
)

func TestBucketTags(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	_, err := e.GetBucketTagging(t.Context(), b)
	require.Equal(t, "NoSuchTagSet", codeOf(err))
	set, err := tags.MapToBucketTags(map[string]string{"team": "pictures", "cost": "12"})
	require.NoError(t, err)
	require.NoError(t, e.SetBucketTagging(t.Context(), b, set))
	got, err := e.GetBucketTagging(t.Context(), b)
	require.NoError(t, err)
	require.Equal(t, set.ToMap(), got.ToMap())
	require.NoError(t, e.RemoveBucketTagging(t.Context(), b))
	_, err = e.GetBucketTagging(t.Context(), b)
	require.Equal(t, "NoSuchTagSet", codeOf(err))
}

func TestBucketTagsThatAreNone(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	tag := func(key string) string { return "<Tag><Key>" + key + "</Key><Value>v</Value></Tag>" }
	var many strings.Builder
	for i := range 51 {
		many.WriteString(tag(fmt.Sprint(i)))
	}
	for says, set := range map[string]string{
		"Cannot provide multiple Tags with the same key": tag("a") + tag("a"),
		"The TagKey you have provided is invalid":        tag(""),
		"Tags cannot be more than 50":                    many.String(),
	} {
		r := e.signed(t, "PUT", "/"+b+"?tagging", []byte("<Tagging><TagSet>"+set+"</TagSet></Tagging>"))
		require.Equal(t, 400, r.status)
		require.Equal(t, "MalformedXML", r.code(t))
		require.Contains(t, r.body, says)
	}
	for _, body := range []string{"", "<Tagging/>", "<Tagging>"} {
		require.Equal(t, "MalformedXML", e.signed(t, "PUT", "/"+b+"?tagging", []byte(body)).code(t))
	}
}

func TestACLsArePrivate(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "key", "x")
	acl := `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>x</ID></Owner><AccessControlList><Grant>` +
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>x</ID></Grantee>` +
		`<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`
	for _, path := range []string{"/" + b + "?acl", "/" + b + "/key?acl"} {
		r := e.signed(t, "GET", path, nil)
		require.Equal(t, 200, r.status)
		require.Contains(t, r.body, `xsi:type="CanonicalUser"`)
		require.Contains(t, r.body, "<Permission>FULL_CONTROL</Permission>")
		require.Equal(t, 200, e.signed(t, "PUT", path, nil, "X-Amz-Acl", "private").status)
		require.Equal(t, 200, e.signed(t, "PUT", path, []byte(acl)).status)
		require.Equal(t, "NotImplemented", e.signed(t, "PUT", path, nil, "X-Amz-Acl", "public-read").code(t))
		require.Equal(t, "NotImplemented", e.signed(t, "PUT", path, []byte(strings.ReplaceAll(acl, "FULL_CONTROL", "READ"))).code(t))
		require.Equal(t, "MalformedXML", e.signed(t, "PUT", path, nil).code(t))
	}
	require.Equal(t, "NoSuchKey", e.signed(t, "GET", "/"+b+"/other?acl", nil).code(t))
	require.Equal(t, "NoSuchBucket", e.signed(t, "GET", "/other?acl", nil).code(t))
	info, err := e.GetObjectACL(t.Context(), b, "key")
	require.NoError(t, err)
	require.Equal(t, "FULL_CONTROL", info.Grant[0].Permission)
}

func TestBucketsDoNotEncrypt(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	_, err := e.GetBucketEncryption(t.Context(), b)
	require.Equal(t, "ServerSideEncryptionConfigurationNotFoundError", codeOf(err))
	require.Equal(t, "NotImplemented", codeOf(e.SetBucketEncryption(t.Context(), b, sse.NewConfigurationSSES3())))
	require.Equal(t, "MalformedXML", codeOf(e.SetBucketEncryption(t.Context(), b, &sse.Configuration{})))
	require.Equal(t, "MalformedXML", codeOf(e.SetBucketEncryption(t.Context(), b, sse.NewConfigurationSSEKMS(""))))
	require.NoError(t, e.RemoveBucketEncryption(t.Context(), b))
}

func TestWhatNoBucketHas(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	for sub, want := range map[string]string{
		"accelerate": "AccelerateConfiguration", "logging": "BucketLoggingStatus",
		"requestPayment": "<Payer>BucketOwner</Payer>",
	} {
		r := e.signed(t, "GET", "/"+b+"?"+sub, nil)
		require.Equal(t, 200, r.status)
		require.Contains(t, r.body, want)
		require.Equal(t, "NoSuchBucket", e.signed(t, "GET", "/other?"+sub, nil).code(t))
		require.Equal(t, "NotImplemented", e.signed(t, "PUT", "/"+b+"?"+sub, []byte("<X/>")).code(t))
	}
	require.Equal(t, "NoSuchWebsiteConfiguration", e.signed(t, "GET", "/"+b+"?website", nil).code(t))
	require.Equal(t, 200, e.signed(t, "DELETE", "/"+b+"?website", nil).status)
	_, err := e.GetBucketReplication(t.Context(), b)
	require.NoError(t, err, "the client takes ReplicationConfigurationNotFoundError for an empty one")
	require.Equal(t, "XMinioAdminRemoteTargetNotFoundError", e.signed(t, "DELETE", "/"+b+"?replication", nil).code(t))
}
