package s3

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/s3/iam"
)

const (
	maxClockSkew      = 15 * time.Minute
	maxPresignSeconds = 7 * 24 * 3600
)

// identity is who signed a request, and with what the chunks of its body are to
// be checked.
type identity struct {
	accessKey   string      // empty: nobody
	kind        string      // how it was signed
	policy      *iam.Policy // nil: may do everything
	payloadHash string      // what x-amz-content-sha256 said, or its default
	signature   string      // the seed of the chunk signatures
	signingKey  []byte
	date, scope string
}

// The ways to sign, as conditions of policies name them.
const (
	signedHeader = "REST-HEADER"
	signedQuery  = "REST-QUERY-STRING"
	signedForm   = "POST"
)

// anonymous tells that nobody signed the request.
func (i *identity) anonymous() bool { return i.accessKey == "" }

// authenticate accepts a SigV4 or SigV2 signature in the Authorization header or in the
// query, or none at all, and refuses every other.
func (q *request) authenticate() error {
	header, given := q.r.Header.Get("Authorization"), len(q.r.Header.Values("Authorization")) > 0
	link := q.query.Has("X-Amz-Credential")
	switch {
	case q.r.Header.Get("X-Amz-Security-Token") != "" || q.query.Has("X-Amz-Security-Token"):
		return errInvalidToken // there are no temporary keys
	case given && link:
		return errAuthTwice
	case strings.HasPrefix(header, sigFamily):
		return q.authenticateHeader(header)
	case link:
		return q.authenticateQuery()
	case q.isSigV2():
		return q.authenticateV2()
	case strings.HasPrefix(header, "Bearer "):
		return errAccessDenied
	case given:
		return errInvalidRequest.saying("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	}
	return q.authenticateNobody()
}

// authenticateNobody takes a request that carries no signature. Its body cannot
// be signed either.
func (q *request) authenticateNobody() error {
	q.auth.payloadHash = unsignedPayload
	switch hash := q.r.Header.Get("X-Amz-Content-Sha256"); hash {
	case streamingUnsignedTrailer:
		q.auth.payloadHash = hash
	case streamingSigned, streamingSignedTrailer:
		return errAccessDenied
	}
	return nil
}

// signatureFields are what an Authorization header has, each of them once.
func signatureFields(header string) (map[string]string, error) {
	rest, ok := strings.CutPrefix(header, sigAlgorithm)
	list := strings.Split(rest, ",")
	if !ok || len(list) != 3 {
		return nil, errMissingFields
	}
	fields := map[string]string{}
	for _, f := range list {
		k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
		fields[k] = v
	}
	if _, ok := fields["Credential"]; !ok || fields["SignedHeaders"] == "" || fields["Signature"] == "" {
		return nil, errMissingFields
	}
	return fields, nil
}

func (q *request) authenticateHeader(header string) error {
	fields, err := signatureFields(header)
	if err != nil {
		return err
	}
	date := q.r.Header.Get("X-Amz-Date")
	if date == "" {
		if t, err := http.ParseTime(q.r.Header.Get("Date")); err == nil {
			date = t.UTC().Format(amzDateFormat)
		}
	}
	if date == "" && q.r.Header.Get("Date") == "" {
		return errMissingDate
	}
	t, err := time.Parse(amzDateFormat, date)
	if err != nil {
		return errMalformedDate
	}
	cred, key, err := q.credential(fields["Credential"], t)
	if err != nil {
		return err
	}
	if skew := q.srv.now().Sub(t); skew > maxClockSkew || skew < -maxClockSkew {
		return errTimeTooSkewed
	}
	q.auth.kind = signedHeader
	if hash := q.r.Header.Get("X-Amz-Content-Sha256"); hash != "" {
		return q.checkSignature(cred, key, fields["SignedHeaders"], fields["Signature"], hash, date)
	}
	// curl sends no hash, and signs as if there were no body.
	if err := q.checkSignature(cred, key, fields["SignedHeaders"], fields["Signature"], emptySHA256, date); err != nil {
		return err
	}
	q.auth.payloadHash = unsignedPayload
	return nil
}

func (q *request) authenticateQuery() error {
	get := q.query.Get
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"} {
		if len(q.query[name]) != 1 {
			return errAuthQuery.saying("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	switch {
	case get("X-Amz-Algorithm") != sigAlgorithm:
		return errAuthQuery.saying("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\".")
	case get("X-Amz-SignedHeaders") == "" || get("X-Amz-Signature") == "":
		return errMissingFields
	}
	t, err := time.Parse(amzDateFormat, get("X-Amz-Date"))
	if err != nil {
		return errAuthQuery.saying("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
	}
	expires, err := strconv.ParseInt(get("X-Amz-Expires"), 10, 64)
	switch {
	case err != nil:
		return errAuthQuery.saying("X-Amz-Expires should be a number")
	case expires < 0:
		return errAuthQuery.saying("X-Amz-Expires must be non-negative")
	case expires > maxPresignSeconds:
		return errAuthQuery.saying("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	cred, key, err := q.credential(get("X-Amz-Credential"), t)
	if err != nil {
		return err
	}
	now := q.srv.now()
	if t.Sub(now) > maxClockSkew {
		return errNotYetValid
	}
	if expires == 0 || now.Sub(t) > time.Duration(expires)*time.Second {
		return errRequestExpired
	}
	hash := get("X-Amz-Content-Sha256")
	if hash == "" {
		hash = q.r.Header.Get("X-Amz-Content-Sha256")
	}
	if hash == "" {
		hash = unsignedPayload
	}
	q.auth.kind = signedQuery
	return q.checkSignature(cred, key, get("X-Amz-SignedHeaders"), get("X-Amz-Signature"), hash, get("X-Amz-Date"))
}

// credential checks the scope against the request's date and this server, and
// finds the key.
func (q *request) credential(s string, t time.Time) (credential, Key, error) {
	cred, err := parseCredential(s)
	if err != nil {
		return cred, Key{}, err
	}
	if cred.date != t.Format(scopeDateFormat) {
		return cred, Key{}, errAuthMalformed.saying("The Credential has another date than the request.")
	}
	// Clients ask for a bucket's location before they know the region.
	if !q.srv.anyRegion && cred.region != q.srv.opts.Region && !(cred.region == "us-east-1" && q.query.Has("location")) {
		e := errAuthMalformed.saying("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", cred.region, q.srv.opts.Region)
		e.region = q.srv.opts.Region
		return cred, Key{}, e
	}
	key, ok := q.srv.keys.find(cred.accessKey)
	if !ok {
		return cred, Key{}, errInvalidAccessKeyID
	}
	return cred, key, nil
}

func (q *request) checkSignature(cred credential, key Key, signedHeaders, signature, hash, date string) error {
	signed := strings.Split(signedHeaders, ";")
	if err := q.checkSignedHeaders(signed); err != nil {
		return err
	}
	signingKey := cred.signingKey(key.Secret)
	want := requestSignature(q.r, q.query, signed, hash, date, cred.scope(), signingKey)
	if sorted, other := sortedValues(q.query); other && !sameSignature(want, signature) {
		// AWS's own clients sign them so; minio-go as they are sent.
		want = requestSignature(q.r, sorted, signed, hash, date, cred.scope(), signingKey)
	}
	if !sameSignature(want, signature) {
		return errSignatureMismatch
	}
	if !validPayloadHash(hash) {
		return errSHA256Mismatch
	}
	q.auth = identity{
		accessKey: cred.accessKey, kind: q.auth.kind, policy: key.Policy, payloadHash: hash, signature: signature,
		signingKey: signingKey, date: date, scope: cred.scope(),
	}
	return nil
}

// checkSignedHeaders wants the host and every x-amz- header to be signed, and
// every signed header to be there.
func (q *request) checkSignedHeaders(signed []string) error {
	if !slices.Contains(signed, "host") {
		return errUnsignedHeaders
	}
	for _, name := range signed {
		if len(headerValues(q.r, name)) == 0 {
			return errUnsignedHeaders
		}
		if name != strings.ToLower(name) {
			return errSignatureMismatch
		}
	}
	for name := range q.r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && lower != "x-amz-content-sha256" && !slices.Contains(signed, lower) {
			return errUnsignedHeaders
		}
	}
	return nil
}
