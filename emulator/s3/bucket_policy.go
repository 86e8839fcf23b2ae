package s3

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/drydock/drydock/emulator/s3/iam"
)

const maxBucketPolicy = 20 << 10

var (
	errBadPolicy          = newError(http.StatusBadRequest, "MalformedPolicy", "Policy has invalid resource.")
	errPolicyTooLarge     = newError(http.StatusBadRequest, "PolicyTooLarge", "Policy exceeds the maximum allowed document size.")
	errNoSuchBucketPolicy = newError(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
)

func (q *request) getBucketPolicy() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	p := b.config().Policy
	if p == nil {
		return errNoSuchBucketPolicy
	}
	return q.writeJSON(p)
}

func (q *request) putBucketPolicy() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	body, err := q.openBody()
	switch {
	case err != nil:
		return err
	case body.size == 0:
		return errMissingContentLength
	case body.size > maxBucketPolicy:
		return errPolicyTooLarge
	}
	document, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	p, err := iam.ParseBucket(document, b.name)
	if err != nil {
		return errBadPolicy.saying("%s", err)
	}
	return q.setBucketPolicy(b, p)
}

func (q *request) deleteBucketPolicy() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	return q.setBucketPolicy(b, nil)
}

func (q *request) setBucketPolicy(b *bucket, p *iam.Policy) error {
	if err := q.srv.st.configure(b, func(c *bucketConf) { c.Policy = p }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// getBucketPolicyStatus says whether the policy lets everybody do something.
func (q *request) getBucketPolicyStatus() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	p := b.config().Policy
	return q.writeXML(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus"`
		IsPublic string
	}{IsPublic: strings.ToUpper(strconv.FormatBool(p != nil && p.Public()))})
}

// writeJSON answers 200 with a JSON document.
func (q *request) writeJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write(b) // a client that has gone cannot be told
	return nil
}
