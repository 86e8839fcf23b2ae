package s3

import (
	"net/http"

	"github.com/minio/minio-go/v7/pkg/sse"
)

var (
	errNoEncryption = newError(http.StatusNotFound, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found")
	errNoKMS        = newError(http.StatusNotImplemented, "NotImplemented", "Server side encryption specified but KMS is not configured")
)

// getEncryption says that no bucket encrypts by itself: there is no KMS.
func (q *request) getEncryption() error { return q.missing(errNoEncryption) }

// putEncryption refuses what cannot be, and then everything else.
func (q *request) putEncryption() error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	var c sse.Configuration
	if ok, err := q.readXML(&c); err != nil {
		return err
	} else if !ok {
		return errMalformedXML
	}
	if err := checkEncryption(c); err != "" {
		return errMalformedXML.saying("%s (%s)", errMalformedXML.message, err)
	}
	return errNoKMS
}

func checkEncryption(c sse.Configuration) string {
	if len(c.Rules) != 1 {
		return "only one server-side encryption rule is allowed at a time"
	}
	switch apply := c.Rules[0].Apply; {
	case apply.SSEAlgorithm != "AES256" && apply.SSEAlgorithm != "aws:kms":
		return "Unknown SSE algorithm"
	case apply.SSEAlgorithm == "AES256" && apply.KmsMasterKeyID != "":
		return "MasterKeyID is allowed with aws:kms only"
	case apply.SSEAlgorithm == "aws:kms" && apply.KmsMasterKeyID == "":
		return "MasterKeyID is missing with aws:kms"
	}
	return ""
}

func (q *request) deleteEncryption() error {
	if _, err := q.bucketOf(); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
