package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"syscall"
)

// apiError is what a client is told: an S3 code, a public message, a status.
// The cause is for the log alone.
type apiError struct {
	code    string
	message string
	status  int
	cause   error
	region  string // set when the client signed for another region
}

func (e *apiError) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.code, e.message, e.cause)
	}
	return e.code + ": " + e.message
}

func (e *apiError) Unwrap() error { return e.cause }

// Is matches by code, so that a copy with another message or cause still does.
func (e *apiError) Is(target error) bool {
	var t *apiError
	return errors.As(target, &t) && t.code == e.code
}

// because returns a copy of e that carries a private cause.
func (e *apiError) because(cause error) *apiError {
	c := *e
	c.cause = cause
	return &c
}

// saying returns a copy of e with another public message.
func (e *apiError) saying(format string, args ...any) *apiError {
	c := *e
	c.message = fmt.Sprintf(format, args...)
	return &c
}

func newError(status int, code, message string) *apiError {
	return &apiError{code: code, message: message, status: status}
}

// The errors of the API, by code.
var (
	errAccessDenied         = newError(http.StatusForbidden, "AccessDenied", "Access Denied.")
	errRequestExpired       = newError(http.StatusForbidden, "AccessDenied", "Request has expired")
	errUnsignedHeaders      = newError(http.StatusBadRequest, "AccessDenied", "There were headers present in the request which were not signed")
	errCORSForbidden        = newError(http.StatusForbidden, "AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
	errInvalidAccessKeyID   = newError(http.StatusForbidden, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
	errSignatureMismatch    = newError(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	errTimeTooSkewed        = newError(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.")
	errAuthMalformed        = newError(http.StatusBadRequest, "AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
	errAuthQuery            = newError(http.StatusBadRequest, "AuthorizationQueryParametersError", "The authorization query parameters that you provided are not valid.")
	errMalformedDate        = newError(http.StatusBadRequest, "MalformedDate", "Invalid date format header, expected to be in ISO8601, RFC1123 or RFC1123Z time format.")
	errMissingFields        = newError(http.StatusBadRequest, "MissingFields", "Missing fields in request.")
	errAuthParameters       = newError(http.StatusBadRequest, "AuthorizationParametersError", "Error parsing the Credential/X-Amz-Credential parameter; incorrect service. This endpoint belongs to \"s3\".")
	errAuthTwice            = newError(http.StatusBadRequest, "InvalidRequest", "Invalid Request (request has multiple authentication types, please use one)")
	errInvalidToken         = newError(http.StatusForbidden, "InvalidTokenId", "The security token included in the request is invalid")
	errNotYetValid          = newError(http.StatusForbidden, "AccessDenied", "Request is not valid yet")
	errMissingDate          = newError(http.StatusBadRequest, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	errBadDigest            = newError(http.StatusBadRequest, "BadDigest", "The Content-Md5 you specified did not match what we received.")
	errMissingContentMD5    = newError(http.StatusBadRequest, "MissingContentMD5", "Missing or invalid required header for this request: Content-Md5 or Amz-Content-Checksum")
	errInvalidDigest        = newError(http.StatusBadRequest, "InvalidDigest", "The Content-Md5 you specified is not valid.")
	errSHA256Mismatch       = newError(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	errChecksumMismatch     = newError(http.StatusBadRequest, "XAmzContentChecksumMismatch", "The provided 'x-amz-checksum' header does not match what was computed.")
	errIncompleteBody       = newError(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	errRequestTimeout       = newError(http.StatusBadRequest, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period.")
	errMalformedChunk       = newError(http.StatusBadRequest, "BadRequest", "malformed chunked encoding")
	errExcessData           = newError(http.StatusBadRequest, "ExcessData", "More data provided than indicated content length")
	errMissingContentLength = newError(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	errEntityTooLarge       = newError(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	errEntityTooSmall       = newError(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
	errMetadataTooLarge     = newError(http.StatusBadRequest, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size.")
	errKeyTooLong           = newError(http.StatusBadRequest, "KeyTooLongError", "Your key is too long")
	errInvalidKey           = newError(http.StatusBadRequest, "InvalidArgument", "Object keys must be valid UTF-8 without NUL.")
	errInvalidArgument      = newError(http.StatusBadRequest, "InvalidArgument", "Invalid Argument")
	errInvalidChecksum      = newError(http.StatusBadRequest, "InvalidArgument", "Invalid checksum provided.")
	errInvalidRequest       = newError(http.StatusBadRequest, "InvalidRequest", "Invalid Request")
	errMalformedXML         = newError(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema.")
	errMalformedPOST        = newError(http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
	errMalformedPolicy      = newError(http.StatusBadRequest, "InvalidPolicyDocument", "The content of the form does not meet the conditions specified in the policy document.")
	errInvalidRange         = newError(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	errPreconditionFailed   = newError(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	errNotModified          = newError(http.StatusNotModified, "NotModified", "Not Modified")
	errNoSuchBucket         = newError(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	errNoSuchKey            = newError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	errNoSuchVersion        = newError(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	errIllegalVersioning    = newError(http.StatusBadRequest, "IllegalVersioningConfigurationException", "Indicates that the versioning configuration specified in the request is invalid.")
	errVersioningLocked     = newError(http.StatusBadRequest, "InvalidBucketState", "An Object Lock configuration is present on this bucket, versioning cannot be suspended.")
	errLockLater            = newError(http.StatusConflict, "InvalidBucketState", "Object Lock configuration cannot be enabled on existing buckets")
	errNoLockConfig         = newError(http.StatusNotFound, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")
	errNoBucketLock         = newError(http.StatusBadRequest, "InvalidRequest", "Bucket is missing ObjectLockConfiguration")
	errNoObjectLock         = newError(http.StatusBadRequest, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
	errObjectLocked         = newError(http.StatusBadRequest, "InvalidRequest", "Object is WORM protected and cannot be overwritten")
	errNoSuchUpload         = newError(http.StatusNotFound, "NoSuchUpload", "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
	errNoSuchCORS           = newError(http.StatusNotFound, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
	errInvalidPart          = newError(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
	errPartNumber           = newError(http.StatusBadRequest, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	errPartArgument         = newError(http.StatusBadRequest, "XMinioAdminInvalidArgument", "Invalid arguments specified.")
	errInvalidPartNumber    = newError(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
	errInvalidPartOrder     = newError(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. The parts list must be specified in order by part number.")
	errInvalidBucketName    = newError(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	errBucketOwned          = newError(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
	errBucketNotEmpty       = newError(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	errInvalidRegion        = newError(http.StatusBadRequest, "InvalidRegion", "Region does not match.")
	errUnknownARN           = newError(http.StatusBadRequest, "InvalidArgument", "A specified destination ARN does not exist or is not well-formed. Verify the destination ARN.")
	errUnsupportedTarget    = newError(http.StatusBadRequest, "UnsupportedNotification", "MinIO server does not support Topic or Cloud Function based notifications.")
	errStorageClass         = newError(http.StatusBadRequest, "InvalidStorageClass", "Invalid storage class.")
	errMethodNotAllowed     = newError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	errNotImplemented       = newError(http.StatusNotImplemented, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
	errInternal             = newError(http.StatusInternalServerError, "InternalError", "We encountered an internal error, please try again.")
	errStorageFull          = newError(http.StatusInsufficientStorage, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold. Please delete a few objects to proceed.")
	errUnavailable          = newError(http.StatusServiceUnavailable, "ServiceUnavailable", "The server is closing or its disk failed. Please try again.")
)

// toAPIError finds the answer for any error a handler returned.
func toAPIError(err error) *apiError {
	var e *apiError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errRequestTimeout.because(err)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return errStorageFull.because(err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errIncompleteBody.because(err)
	case errors.Is(err, context.Canceled):
		return errIncompleteBody.because(err)
	default:
		return errInternal.because(err)
	}
}

type errorBody struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	Key        string `xml:",omitempty"`
	BucketName string `xml:",omitempty"`
	Resource   string
	Region     string `xml:",omitempty"`
	RequestID  string `xml:"RequestId"`
	HostID     string `xml:"HostId"`
}

// writeError is the one place where an error becomes a response.
func (q *request) writeError(err error) {
	e := toAPIError(err)
	if e.status >= http.StatusInternalServerError && e != errNotImplemented {
		q.srv.log.Error("s3 request failed", "method", q.r.Method, "bucket", q.bucket, "key", q.key, "error", err)
	}
	h := q.w.Header()
	if e.status == http.StatusNotModified {
		q.w.WriteHeader(e.status)
		return
	}
	if q.r.Method == http.MethodHead {
		// There is no body to tell it in: MinIO's clients look here. A condition
		// that failed needs no more than its status.
		if e.status != http.StatusPreconditionFailed {
			h.Set("X-Minio-Error-Code", e.code)
			h.Set("X-Minio-Error-Desc", strconv.Quote(e.message))
		}
		h.Set("Content-Length", "0")
		q.w.WriteHeader(e.status)
		return
	}
	body, merr := xml.Marshal(errorBody{
		Code: e.code, Message: e.message, Key: q.key, BucketName: q.bucket,
		Resource: q.r.URL.Path, Region: e.region, RequestID: q.id, HostID: q.srv.deployment,
	})
	if merr != nil {
		q.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	body = append([]byte(xml.Header), body...)
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(e.status)
	_, _ = q.w.Write(body) // a client that has gone cannot be told
}
