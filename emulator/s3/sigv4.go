package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	sigFamily       = "AWS4-HMAC-"
	sigAlgorithm    = sigFamily + "SHA256"
	amzDateFormat   = "20060102T150405Z"
	scopeDateFormat = "20060102"
	emptySHA256     = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// credential is "<access key>/<date>/<region>/s3/aws4_request".
type credential struct {
	accessKey, date, region, service string
}

// parseCredential tells what is wrong with a credential in MinIO's words.
func parseCredential(s string) (credential, error) {
	const parsing = "Error parsing the X-Amz-Credential parameter; "
	p := strings.Split(s, "/")
	n := len(p)
	if n < 5 {
		return credential{}, errAuthQuery.saying(parsing + "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
	}
	c := credential{accessKey: strings.Join(p[:n-4], "/"), date: p[n-4], region: p[n-3], service: p[n-2]}
	_, err := time.Parse(scopeDateFormat, c.date)
	switch {
	case c.accessKey == "":
		return c, errInvalidAccessKeyID
	case err != nil:
		return c, errAuthQuery.saying(parsing + "incorrect date format. This date in the credential must be in the format \"yyyyMMdd\".")
	case c.service != "s3":
		return c, errAuthParameters
	case p[n-1] != "aws4_request":
		return c, errAuthQuery.saying(parsing + "incorrect terminal. This endpoint uses \"aws4_request\".")
	}
	return c, nil
}

func (c credential) scope() string {
	return c.date + "/" + c.region + "/" + c.service + "/aws4_request"
}

// signingKey derives the key of the day, region and service from the secret.
func (c credential) signingKey(secret string) []byte {
	k := hmacSHA256([]byte("AWS4"+secret), c.date)
	k = hmacSHA256(k, c.region)
	k = hmacSHA256(k, c.service)
	return hmacSHA256(k, "aws4_request")
}

func hmacSHA256(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(data))
	return h.Sum(nil)
}

func hexSHA256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sameSignature(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}

// requestSignature computes the signature that r must carry.
func requestSignature(r *http.Request, query url.Values, signed []string, payloadHash, date, scope string, key []byte) string {
	canonical := strings.Join([]string{
		r.Method, uriEncode(r.URL.Path, true), canonicalQuery(query),
		canonicalHeaders(r, signed), strings.Join(signed, ";"), payloadHash,
	}, "\n")
	toSign := strings.Join([]string{sigAlgorithm, date, scope, hexSHA256(canonical)}, "\n")
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

// canonicalQuery is in the order of the names. Of one that comes several times
// the values keep their order.
func canonicalQuery(query url.Values) string {
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(query)) {
		if strings.EqualFold(k, "X-Amz-Signature") {
			continue
		}
		for _, v := range query[k] {
			pairs = append(pairs, uriEncode(k, false)+"="+uriEncode(v, false))
		}
	}
	return strings.Join(pairs, "&")
}

// sortedValues returns the query with the values of each name in their order,
// and whether that is another.
func sortedValues(query url.Values) (url.Values, bool) {
	sorted, changed := url.Values{}, false
	for k, vs := range query {
		sorted[k] = slices.Sorted(slices.Values(vs))
		changed = changed || !slices.Equal(sorted[k], vs)
	}
	return sorted, changed
}

func canonicalHeaders(r *http.Request, signed []string) string {
	var b strings.Builder
	for _, name := range signed {
		b.WriteString(name)
		b.WriteByte(':')
		for i, v := range headerValues(r, name) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// headerValues finds a header also where net/http moved it away from r.Header.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		return []string{r.Host}
	case "content-length":
		if r.ContentLength < 0 {
			return nil
		}
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	return r.Header.Values(name)
}

// uriEncode encodes as SigV4 wants it: every byte but the unreserved ones, with
// or without the slash.
func uriEncode(s string, keepSlash bool) string {
	const hexDigits = "0123456789ABCDEF"
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = unreserved(s[i]) || keepSlash && s[i] == '/'
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || keepSlash && c == '/' {
			b = append(b, c)
			continue
		}
		b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
	}
	return string(b)
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}
