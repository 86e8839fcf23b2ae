package iam

import (
	"bytes"
	"maps"
	"slices"
)

// canned are policies that have a name, as MinIO has them.
var canned = map[string]string{
	"readonly":     allowing(`"s3:GetBucketLocation", "s3:GetObject"`),
	"writeonly":    allowing(`"s3:PutObject"`),
	"readwrite":    allowing(`"s3:*"`),
	"consoleAdmin": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "admin:*"}, {"Effect": "Allow", "Action": "kms:*"}, {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}`,
}

func allowing(actions string) string {
	return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [` + actions + `], "Resource": "arn:aws:s3:::*"}}`
}

// Named returns the policy for keys that has a name: "readonly", "writeonly",
// "readwrite" or "consoleAdmin".
func Named(name string) (*Policy, bool) {
	document, ok := canned[name]
	if !ok {
		return nil, false
	}
	p, err := Parse([]byte(document))
	return p, err == nil
}

// Names are those that policies for keys have.
func Names() []string { return slices.Sorted(maps.Keys(canned)) }

// Name returns the name of a policy that has one.
func (p *Policy) Name() string {
	for _, name := range Names() {
		if named, ok := Named(name); ok && bytes.Equal(named.document, p.document) {
			return name
		}
	}
	return ""
}
