package s3

import (
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/stretchr/testify/require"
)

// What happens to a version is told with its id.
func TestEventsOfVersions(t *testing.T) {
	t.Parallel()
	in := &inbox{}
	e := start(t, Options{Notifiers: map[string]Notifier{testARN: in}})
	ctx := t.Context()
	const b = "locked"
	require.NoError(t, e.MakeBucket(ctx, b, minio.MakeBucketOptions{ObjectLocking: true}))
	require.NoError(t, e.SetNotification(b, rule("", "", notification.ObjectCreatedAll, notification.ObjectRemovedAll)))
	version := e.put(t, b, "key", "data").VersionID
	require.NoError(t, e.PutObjectTagging(ctx, b, "key", must(tags.MapToObjectTags(map[string]string{"a": "1"})), minio.PutObjectTaggingOptions{}))
	require.NoError(t, e.RemoveObjectTagging(ctx, b, "key", minio.RemoveObjectTaggingOptions{}))
	mode, until, off := minio.Governance, time.Now().Add(time.Hour), minio.LegalHoldDisabled
	require.NoError(t, e.PutObjectRetention(ctx, b, "key", minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &until}))
	require.NoError(t, e.PutObjectLegalHold(ctx, b, "key", minio.PutObjectLegalHoldOptions{Status: &off}))
	marker := e.signed(t, "DELETE", "/"+b+"/key", nil).header.Get(headerVersionID)
	require.NoError(t, e.RemoveObject(ctx, b, "key", minio.RemoveObjectOptions{VersionID: version, GovernanceBypass: true}))
	require.NoError(t, e.RemoveObject(ctx, b, "key", minio.RemoveObjectOptions{VersionID: marker}))

	eventually(t, func() bool { return len(in.got()) >= 8 }, "eight events")
	var got [][2]string
	for _, ev := range in.got() {
		o := ev.Records[0].S3.Object
		got = append(got, [2]string{ev.EventName, o.VersionID})
		require.Equal(t, o.Size == 4, o.ETag != "", "what is there is told whole")
	}
	require.Equal(t, [][2]string{
		{"s3:ObjectCreated:Put", version}, {"s3:ObjectCreated:PutTagging", version}, {"s3:ObjectCreated:DeleteTagging", version},
		{"s3:ObjectCreated:PutRetention", version}, {"s3:ObjectCreated:PutLegalHold", version},
		{"s3:ObjectRemoved:DeleteMarkerCreated", marker}, {"s3:ObjectRemoved:Delete", version},
		{"s3:ObjectRemoved:DeleteMarkerCreated", marker},
	}, got)
	require.Equal(t, "GOVERNANCE", in.got()[3].Records[0].S3.Object.UserMetadata["x-amz-object-lock-mode"])
}
