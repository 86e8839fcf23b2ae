package s3

import (
	"fmt"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// allowing is a policy that allows actions on resources.
func allowing(t testing.TB, actions, resources string) *iam.Policy {
	t.Helper()
	p, err := iam.Parse(fmt.Appendf(nil, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": %q, "Resource": %q}}`,
		actions, "arn:aws:s3:::"+resources))
	require.NoError(t, err)
	return p
}

func TestKeyDoesWhatItsPolicyAllows(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{Keys: map[string]Key{
		testKey:  {Secret: testSecret},
		"reader": {Secret: "reader-secret", Policy: allowing(t, "s3:GetObject", "uploads/open/*")},
	}})
	e.put(t, b, "open/1", "x")
	e.put(t, b, "shut/1", "x")
	reader := e.client(t, "reader", "reader-secret")
	_, err := reader.StatObject(t.Context(), b, "open/1", minio.StatObjectOptions{})
	require.NoError(t, err)
	_, err = reader.StatObject(t.Context(), b, "shut/1", minio.StatObjectOptions{})
	require.Equal(t, "AccessDenied", codeOf(err))
	_, err = reader.PutObject(t.Context(), b, "open/1", strings.NewReader("y"), 1, minio.PutObjectOptions{})
	require.Equal(t, "AccessDenied", codeOf(err))
}
