package s3

import (
	"github.com/drydock/drydock/emulator/s3/iam"
)

// Key is an access key: its secret, and what it may do.
type Key struct {
	Secret string
	// Policy is what the key may do. Nil: everything.
	Policy *iam.Policy
}

// allow refuses with AccessDenied what the caller may not do. The router calls
// it with the action of the route; handlers call it for whatever else a request
// touches: the source of a copy, each key of a multi-delete.
func (q *request) allow(action, bucket, key string) error {
	if action == "" || q.auth.policy == nil {
		return nil
	}
	if q.auth.policy.Decide(iam.Request{Action: action, Bucket: bucket, Key: key, Principal: q.auth.accessKey}) != iam.Allow {
		return errAccessDenied
	}
	return nil
}
