package iam

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["s3:Get*", "s3:PutObject"], "Resource": ["arn:aws:s3:::b/open/*", "arn:aws:s3:::b/?.txt"]},
		{"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/open/secret*"}
	]}`))
	require.NoError(t, err)
	for _, x := range []struct {
		action, key string
		want        Decision
	}{
		{"s3:GetObject", "open/1", Allow},
		{"s3:GetObjectTagging", "open/a/b/c", Allow},
		{"s3:GetObject", "ü.txt", Allow},
		{"s3:GetObject", "ab.txt", None},
		{"s3:GetObject", "open", None},
		{"s3:DeleteObject", "open/1", None},
		{"s3:GetObject", "open/secret/1", Deny},
		{"s3:DeleteObject", "open/secret", Deny},
		{"s3:GetObject", "", None},
	} {
		require.Equal(t, x.want, p.Decide(Request{Action: x.action, Bucket: "b", Key: x.key}), x)
	}
}
