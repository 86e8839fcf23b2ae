package s3

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/signer"
)

const sigV2Algorithm = "AWS "

// isSigV2 reports whether a request is signed as old clients do.
func (q *request) isSigV2() bool {
	return strings.HasPrefix(q.r.Header.Get("Authorization"), sigV2Algorithm) || q.query.Has("AWSAccessKeyId")
}

// authenticateV2 accepts a SigV2 signature in the Authorization header or in the
// query: the same request, signed with the secret that is known here, has it,
// too.
func (q *request) authenticateV2() error {
	header := q.r.Header.Get("Authorization")
	if !strings.HasPrefix(header, sigV2Algorithm) {
		return q.authenticateQueryV2()
	}
	accessKey, _, ok := strings.Cut(strings.TrimPrefix(header, sigV2Algorithm), ":")
	if !ok {
		return errAuthMalformed
	}
	key, ok := q.srv.keys.find(accessKey)
	if !ok {
		return errInvalidAccessKeyID
	}
	view := q.view()
	t, err := http.ParseTime(view.Header.Get("Date"))
	if err != nil {
		return errMissingDate
	}
	if skew := q.srv.now().Sub(t); skew > maxClockSkew || skew < -maxClockSkew {
		return errTimeTooSkewed
	}
	if !sameSignature(signer.SignV2(*view, accessKey, key.Secret, false).Header.Get("Authorization"), header) {
		return errSignatureMismatch
	}
	q.auth = identity{accessKey: accessKey, kind: signedHeader, policy: key.Policy, payloadHash: unsignedPayload}
	return nil
}

func (q *request) authenticateQueryV2() error {
	accessKey, expires := q.query.Get("AWSAccessKeyId"), q.query.Get("Expires")
	signature := q.query.Get("Signature")
	if accessKey == "" || expires == "" || signature == "" {
		return errAccessDenied.saying("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
	}
	key, ok := q.srv.keys.find(accessKey)
	if !ok {
		return errInvalidAccessKeyID
	}
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return errAuthQuery.saying("Expires should be a number")
	}
	if q.srv.now().Unix() > end {
		return errRequestExpired
	}
	view := q.view()
	view.Header.Set("Expires", expires)
	signed := signer.PreSignV2(*view, accessKey, key.Secret, 0, false)
	if !sameSignature(signed.URL.Query().Get("Signature"), signature) {
		return errSignatureMismatch
	}
	q.auth = identity{accessKey: accessKey, kind: signedQuery, policy: key.Policy, payloadHash: unsignedPayload}
	return nil
}

// view is the request as its client saw it before it was signed.
func (q *request) view() *http.Request {
	view := q.r.Clone(q.r.Context())
	query := url.Values{}
	for name, values := range q.query {
		if !slices.Contains(paramsV2(), name) {
			query[name] = values
		}
	}
	view.URL = &url.URL{Path: q.r.URL.Path, RawQuery: query.Encode()}
	return view
}

// paramsV2 are those that carry a signature in the query.
func paramsV2() []string { return []string{"AWSAccessKeyId", "Expires", "Signature"} }

// authenticateFormV2 checks the signature of a form's policy.
func (q *request) authenticateFormV2(fields map[string]string) error {
	accessKey := fields["awsaccesskeyid"]
	key, ok := q.srv.keys.find(accessKey)
	if !ok {
		return errInvalidAccessKeyID
	}
	if !sameSignature(signer.PostPresignSignatureV2(fields["policy"], key.Secret), fields["signature"]) {
		return errSignatureMismatch
	}
	q.auth = identity{accessKey: accessKey, kind: signedForm, policy: key.Policy}
	return nil
}
