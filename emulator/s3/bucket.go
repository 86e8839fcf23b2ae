package s3

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"slices"

	"github.com/minio/minio-go/v7/pkg/notification"
)

type bucketXML struct {
	Name         string
	CreationDate string
}

type listBucketsResult struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult"`
	Owner   ownerXML
	Buckets []bucketXML `xml:"Buckets>Bucket"`
}

// listBuckets lists all buckets or, for who may not list all, those that it may
// list or locate.
func (q *request) listBuckets() error {
	out := listBucketsResult{Owner: owner()}
	all := q.allow("s3:ListAllMyBuckets", "", "") == nil
	for _, b := range q.srv.st.allBuckets() {
		if all || q.allow("s3:ListBucket", b.name, "") == nil || q.allow("s3:GetBucketLocation", b.name, "") == nil {
			out.Buckets = append(out.Buckets, bucketXML{b.name, xmlTime(b.config().Created)})
		}
	}
	if q.auth.anonymous() || !all && len(out.Buckets) == 0 {
		return errAccessDenied
	}
	slices.SortFunc(out.Buckets, func(a, b bucketXML) int { return cmp.Compare(a.Name, b.Name) })
	return q.writeXML(out)
}

func (q *request) createBucket() error {
	if err := q.refuseHeaders(); err != nil {
		return err
	}
	var in struct {
		XMLName  xml.Name `xml:"CreateBucketConfiguration"`
		Location string   `xml:"LocationConstraint"`
	}
	if _, err := q.readXML(&in); err != nil {
		return err
	}
	if in.Location != "" && in.Location != q.srv.opts.Region && !q.srv.anyRegion {
		return errInvalidRegion
	}
	locked := false
	switch v := q.r.Header.Get(headerLockBucket); v {
	case "", "false":
	case "true":
		locked = true
	default:
		return errInvalidRequest
	}
	if err := q.srv.st.createBucket(q.bucket, q.srv.now().UTC(), locked); err != nil {
		return err
	}
	if b, err := q.bucketOf(); err == nil {
		q.news.mention(b, notification.BucketCreatedAll, &meta{})
	}
	q.w.Header().Set("Location", "/"+q.bucket)
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) headBucket() error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	if !q.srv.anyRegion {
		q.w.Header().Set("X-Amz-Bucket-Region", q.srv.opts.Region)
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteBucket() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	forced := q.forced()
	if forced {
		if err := q.allow("s3:ForceDeleteBucket", q.bucket, ""); err != nil {
			return err
		}
	}
	if err := q.srv.st.deleteBucket(q.bucket, forced); err != nil {
		return err
	}
	q.news.mention(b, notification.BucketRemovedAll, &meta{})
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// bucketLocation names the region; us-east-1 is written as nothing.
func (q *request) bucketLocation() error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	region := q.srv.opts.Region
	if region == "us-east-1" {
		region = ""
	}
	return q.writeXML(struct {
		XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
		Location string   `xml:",chardata"`
	}{Location: region})
}
