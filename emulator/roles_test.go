package emulator

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3/iam"
	"github.com/drydock/drydock/jobs"
)

// Roles may do to the emulated store what they may do to the real one.
func TestRolesHaveTheirPolicies(t *testing.T) {
	t.Parallel()
	secrets := keys{rootKey: "root-secret", "images": "i", "uploads": "u", "alerts": "a"}
	all, err := storeKeys(jobs.Files, secrets)
	require.NoError(t, err)
	require.Len(t, all, 3, "alerts has nothing to do with objects")
	require.Nil(t, all[rootKey].Policy)
	may := func(role, action, key string) bool {
		return all[role].Policy.Decide(iam.Request{Action: action, Bucket: Bucket, Key: key}) == iam.Allow
	}
	for _, x := range []struct {
		role, action, key string
		want              bool
	}{
		{"images", "s3:GetObject", "incoming/o/u/a.png", true},
		{"images", "s3:PutObject", "processed/o/u/small.jpeg", true},
		{"images", "s3:PutObject", "incoming/o/u/a.png", false},
		{"images", "s3:GetObject", "processed/o/u/small.jpeg", false},
		{"images", "s3:DeleteObject", "incoming/o/u/a.png", true},
		{"images", "s3:ListBucket", "", true},
		{"images", "s3:DeleteBucket", "", false},
		{"uploads", "s3:PutObject", "incoming/o/u/a.png", true},
		{"uploads", "s3:PutObject", "processed/o/u/small.jpeg", false},
		{"uploads", "s3:GetObject", "processed/o/u/small.jpeg", true},
		{"uploads", "s3:GetObject", "other", false},
	} {
		require.Equal(t, x.want, may(x.role, x.action, x.key), x)
	}

	all, err = storeKeys(fstest.MapFS{"resize.nomad.hcl": {}}, keys{rootKey: "root-secret", "resize": "r"})
	require.NoError(t, err)
	require.Contains(t, all, "resize")
	require.Nil(t, all["resize"].Policy, "a folder that says nothing of the store forbids nothing")

	_, err = storeKeys(fstest.MapFS{"minio.nomad.hcl": {Data: []byte("job {")}}, secrets)
	require.ErrorContains(t, err, "minio.nomad.hcl")
}
