package s3

import (
	"encoding/xml"
	"net/http"
)

// What no bucket has here is answered as for a bucket that does not have it.

var (
	errNoWebsite      = newError(http.StatusNotFound, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
	errNoReplication  = newError(http.StatusNotFound, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
	errNoRemoteTarget = newError(http.StatusNotFound, "XMinioAdminRemoteTargetNotFoundError", "The remote target does not exist")
)

func (q *request) getAccelerate() error {
	return q.unset(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccelerateConfiguration"`
	}{})
}

func (q *request) getRequestPayment() error {
	return q.unset(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ RequestPaymentConfiguration"`
		Payer   string
	}{Payer: "BucketOwner"})
}

func (q *request) getLogging() error {
	return q.unset(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ BucketLoggingStatus"`
	}{})
}

// unset answers with v for a bucket that exists.
func (q *request) unset(v any) error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	return q.writeXML(v)
}

func (q *request) getWebsite() error { return q.missing(errNoWebsite) }

func (q *request) deleteWebsite() error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) getReplication() error { return q.missing(errNoReplication) }

// putReplication refuses: there is no remote target that a rule could name.
func (q *request) putReplication() error { return q.missing(errNoRemoteTarget) }

func (q *request) deleteReplication() error { return q.missing(errNoRemoteTarget) }

// missing answers with err for a bucket that exists.
func (q *request) missing(err *apiError) error {
	if _, berr := q.bucketOf(); berr != nil {
		return berr
	}
	return err
}
