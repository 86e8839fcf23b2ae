package s3

import (
	"net/http"

	"github.com/minio/minio-go/v7/pkg/tags"
)

var errNoSuchTagSet = newError(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")

func (q *request) getBucketTags() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	t := b.config().Tags
	if t == nil {
		return errNoSuchTagSet
	}
	set, err := tags.MapToBucketTags(t)
	if err != nil {
		return err
	}
	return q.writeXML(set)
}

func (q *request) putBucketTags() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	var set tags.Tags
	if _, err := q.readXML(&set); err != nil {
		return tagError(err)
	}
	if set.TagSet == nil {
		return errMalformedXML
	}
	if err := q.srv.st.configure(b, func(conf *bucketConf) { conf.Tags = set.ToMap() }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// tagError says what is wrong with tags in the words of the library that reads
// them, as MinIO does.
func tagError(err error) error {
	if e := toAPIError(err); e.code == errMalformedXML.code && e.cause != nil {
		return e.saying("%s", e.cause)
	}
	return err
}

func (q *request) deleteBucketTags() error {
	return q.forget(func(conf *bucketConf) { conf.Tags = nil })
}

// forget takes something out of a bucket's configuration and answers 204, be it
// there or not.
func (q *request) forget(edit func(conf *bucketConf)) error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if err := q.srv.st.configure(b, edit); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
