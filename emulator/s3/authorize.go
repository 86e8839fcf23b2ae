package s3

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// authorize asks for what every request to a route needs.
func (q *request) authorize(rt route) error {
	key := q.key
	if strings.Contains(rt.action, "Bucket") {
		key = "" // an object has no ACL but that of its bucket
	}
	if err := q.allow(rt.action, q.bucket, key); err != nil {
		return err
	}
	switch rt.action {
	case "s3:PutObject":
		return q.allowLocking()
	case "s3:GetObjectAttributes":
		return q.allow("s3:GetObject", q.bucket, q.key)
	case "s3:DeleteObject":
		return q.allowRemovalOf(q.key, q.query.Get("versionId"))
	}
	return nil
}

// allowLocking asks for what the headers of an object to be want besides.
func (q *request) allowLocking() error {
	if q.r.Header.Get("X-Amz-Object-Lock-Mode") != "" || q.r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date") != "" {
		if err := q.allow("s3:PutObjectRetention", q.bucket, q.key); err != nil {
			return err
		}
	}
	if q.r.Header.Get("X-Amz-Object-Lock-Legal-Hold") != "" {
		return q.allow("s3:PutObjectLegalHold", q.bucket, q.key)
	}
	return nil
}

// allowRemovalOf asks whether an object may be removed, or a version of it: who
// may do the one may do the other, unless a policy denies that in so many words.
func (q *request) allowRemovalOf(key, version string) error {
	if err := q.allowVersion("s3:DeleteObject", q.bucket, key, version); err != nil || version == "" {
		return err
	}
	if q.decide("s3:DeleteObjectVersion", q.bucket, key, version) == iam.Deny {
		return errAccessDenied
	}
	return nil
}

// allow refuses with AccessDenied what the caller may not do. The router asks
// for the action of the route, handlers for whatever else a request touches:
// the source of a copy, each key of a multi-delete.
func (q *request) allow(action, bucket, key string) error {
	return q.allowVersion(action, bucket, key, q.query.Get("versionId"))
}

// allowVersion does so for a version of an object that the URL does not name.
func (q *request) allowVersion(action, bucket, key, version string) error {
	if action != asksItself && q.decide(action, bucket, key, version) != iam.Allow {
		return errAccessDenied
	}
	return nil
}

// decide asks the policy of the key that signed the request or, when nobody
// signed it, that of the bucket. A bucket's policy is about nobody else.
func (q *request) decide(action, bucket, key, version string) iam.Decision {
	policy := q.auth.policy
	switch {
	case q.auth.anonymous():
		if policy = q.srv.st.bucketPolicy(bucket); policy == nil {
			return iam.None
		}
	case policy == nil:
		return iam.Allow
	}
	who := q.auth.accessKey
	if q.auth.anonymous() {
		who = iam.Anonymous
	}
	return policy.Decide(iam.Request{Action: action, Bucket: bucket, Key: key, Principal: who, Value: func(name string) []string {
		if tag, ok := strings.CutPrefix(name, "s3:existingobjecttag/"); ok {
			return q.srv.st.tagsOf(bucket, key, version)[tag]
		}
		if name == "s3:versionid" {
			return present(version)
		}
		return q.conditionValue(name)
	}})
}

// tagsOf are the tags of a version of an object, "" for the current one.
func (s *store) tagsOf(bucket, key, version string) url.Values {
	b, err := s.bucket(bucket)
	if err != nil {
		return nil
	}
	e, err := b.find(key, version)
	if err != nil {
		return nil
	}
	return tagValues(e.attributes.get().Tags)
}

// bucketPolicy returns what a bucket's policy is; nil when there is none.
func (s *store) bucketPolicy(name string) *iam.Policy {
	b, err := s.bucket(name)
	if err != nil {
		return nil
	}
	return b.config().Policy
}

// conditionValue returns what the request holds of what a condition can be on.
// An address is that of the connection: what a client says of itself in headers
// is not believed.
func (q *request) conditionValue(key string) []string {
	name, tag, _ := strings.Cut(key, "/")
	switch name {
	case "aws:sourceip":
		host, _, err := net.SplitHostPort(q.r.RemoteAddr)
		if err != nil {
			return nil
		}
		return []string{host}
	case "aws:securetransport":
		return []string{strconv.FormatBool(q.r.TLS != nil)}
	case "aws:currenttime":
		return []string{q.srv.now().UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(q.srv.now().Unix(), 10)}
	case "aws:username", "aws:userid":
		return present(q.auth.accessKey)
	case "aws:principaltype":
		return []string{q.principalType()}
	case "aws:referer":
		return present(q.r.Referer())
	case "aws:useragent":
		return present(q.r.UserAgent())
	case "s3:prefix", "s3:delimiter", "s3:max-keys":
		return q.query[strings.TrimPrefix(name, "s3:")]
	case "s3:authtype":
		return present(q.auth.kind)
	case "s3:signatureversion":
		return q.signatureVersion()
	case "s3:signatureage":
		return q.signatureAge()
	case "s3:requestobjecttag":
		return q.requestTags()[tag]
	case "s3:requestobjecttagkeys":
		var names []string
		for name := range q.requestTags() {
			names = append(names, name)
		}
		return names
	}
	if header, ok := strings.CutPrefix(name, "s3:"); ok && strings.HasPrefix(header, "x-amz-") {
		return present(q.r.Header.Get(header))
	}
	if lock, ok := strings.CutPrefix(name, "s3:object-lock-"); ok {
		return present(q.r.Header.Get("X-Amz-Object-Lock-" + lock))
	}
	return nil
}

// present is a value, unless it is empty: what is empty is not there.
func present(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

func (q *request) principalType() string {
	switch {
	case q.auth.anonymous():
		return "Anonymous"
	case q.auth.policy == nil:
		return "Account"
	}
	return "User"
}

func (q *request) signatureVersion() []string {
	switch {
	case q.auth.anonymous():
		return nil
	case q.auth.date == "": // only SigV4 has one
		return []string{strings.TrimSpace(sigV2Algorithm)}
	}
	return []string{sigAlgorithm}
}

// signatureAge is how many milliseconds ago the request was signed.
func (q *request) signatureAge() []string {
	t, err := time.Parse(amzDateFormat, q.auth.date)
	if err != nil {
		return nil
	}
	return []string{strconv.FormatInt(q.srv.now().Sub(t).Milliseconds(), 10)}
}

func (q *request) requestTags() url.Values {
	return tagValues(q.r.Header.Get("X-Amz-Tagging"))
}

// tagValues reads tags; what cannot be read has none.
func tagValues(encoded string) url.Values {
	tags, err := url.ParseQuery(encoded)
	if err != nil {
		return nil
	}
	return tags
}
