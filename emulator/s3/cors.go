package s3

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/cors"
)

const (
	maxCORSRules  = 100
	corsMaxAge    = 3600
	exposeHeaders = "Access-Control-Expose-Headers"
)

func corsMethods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete}
}

// corsRule finds what applies to a browser's request: a rule of the bucket when
// it has any, else the endpoint's own.
func (q *request) corsRule(origin, method string, headers []string) (rule cors.Rule, own, ok bool) {
	var rules []cors.Rule
	if b, err := q.bucketOf(); err == nil {
		if c := b.config().CORS; c != nil {
			rules, own = c.CORSRules, true
		}
	}
	if !own {
		rules = []cors.Rule{{
			AllowedOrigin: q.srv.opts.CORSOrigins, AllowedMethod: corsMethods(), AllowedHeader: []string{"*"},
			ExposeHeader: exposedHeaders(), MaxAgeSeconds: corsMaxAge,
		}}
	}
	for _, r := range rules {
		if matchesAny(r.AllowedOrigin, origin) && slices.Contains(r.AllowedMethod, method) && allowsHeaders(r.AllowedHeader, headers) {
			return r, own, true
		}
	}
	return cors.Rule{}, own, false
}

func allowsHeaders(patterns, headers []string) bool {
	for _, h := range headers {
		if !slices.ContainsFunc(patterns, func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(h)) }) {
			return false
		}
	}
	return true
}

func matchesAny(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return wildcard(p, s) })
}

// wildcard matches s against a pattern with at most one "*".
func wildcard(pattern, s string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}

// exposedHeaders are those that a page may read besides the user metadata,
// which is added by name.
func exposedHeaders() []string {
	return []string{
		"ETag", "Date", "Last-Modified", "Content-Length", "Content-Range", "Accept-Ranges", "Content-Encoding",
		"Content-Disposition", "Content-Language", "Cache-Control", "Expires", "Location",
		"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region", "x-amz-storage-class", "x-amz-checksum-type",
		"x-amz-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-sha1",
		"x-amz-checksum-sha256", "x-amz-checksum-crc64nvme",
	}
}

// addCORSHeaders lets a page read the answer, be it an error.
func (q *request) addCORSHeaders() {
	origin := q.r.Header.Get("Origin")
	if origin == "" {
		return
	}
	// What says the method of a request to come is judged by that, as S3 does.
	method := cmp.Or(q.r.Header.Get("Access-Control-Request-Method"), q.r.Method)
	rule, own, ok := q.corsRule(origin, method, q.requestedHeaders())
	if !ok {
		return
	}
	q.allowOrigin(rule, origin, own)
	if len(rule.ExposeHeader) > 0 {
		q.w.Header().Set(exposeHeaders, strings.Join(rule.ExposeHeader, ", "))
	}
	q.exposeMeta = !own
}

// exposeHeaders adds the names of an object's user metadata to those exposed.
func (q *request) exposeHeaders(user map[string]string) {
	if !q.exposeMeta {
		return
	}
	h := q.w.Header()
	for name := range user {
		h.Set(exposeHeaders, h.Get(exposeHeaders)+", "+strings.ToLower(name))
	}
}

// allowOrigin names the origin, as MinIO does, and S3 unless a bucket's own rule
// is for all.
func (q *request) allowOrigin(rule cors.Rule, origin string, own bool) {
	h := q.w.Header()
	if own && slices.Contains(rule.AllowedOrigin, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
}

// requestedHeaders are those that a page means to send.
func (q *request) requestedHeaders() []string {
	var headers []string
	for h := range strings.SplitSeq(strings.Join(q.r.Header.Values("Access-Control-Request-Headers"), ","), ",") {
		if h = strings.TrimSpace(h); h != "" {
			headers = append(headers, h)
		}
	}
	return headers
}

// preflight answers OPTIONS.
func (q *request) preflight() error {
	origin, method := q.r.Header.Get("Origin"), q.r.Header.Get("Access-Control-Request-Method")
	if origin == "" || method == "" {
		return errInvalidRequest.saying("Insufficient information. Origin and Access-Control-Request-Method request headers needed.")
	}
	headers := q.requestedHeaders()
	h := q.w.Header()
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Add("Vary", "Access-Control-Request-Method")
	rule, own, ok := q.corsRule(origin, method, headers)
	if !ok {
		return errCORSForbidden
	}
	q.allowOrigin(rule, origin, own)
	if len(headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(headers, ", ")))
	}
	if rule.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(rule.MaxAgeSeconds))
	}
	if !own {
		h.Set("Access-Control-Allow-Methods", method)
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethod, ", "))
	if len(rule.ExposeHeader) > 0 {
		h.Set(exposeHeaders, strings.Join(rule.ExposeHeader, ", "))
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) getCORS() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	c := b.config().CORS
	if c == nil {
		return errNoSuchCORS
	}
	return q.writeXML(c)
}

func (q *request) putCORS() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	var c cors.Config
	if ok, err := q.readXML(&c); err != nil {
		return err
	} else if !ok {
		return errMalformedXML
	}
	if err := checkCORS(&c); err != nil {
		return err
	}
	if err := q.srv.st.configure(b, func(conf *bucketConf) { conf.CORS = &c }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func checkCORS(c *cors.Config) error {
	if len(c.CORSRules) == 0 || len(c.CORSRules) > maxCORSRules {
		return errMalformedXML
	}
	c.XMLNS = xmlNamespace
	c.XMLName.Space = ""
	for _, r := range c.CORSRules {
		if len(r.AllowedOrigin) == 0 || len(r.AllowedMethod) == 0 {
			return errMalformedXML
		}
		for _, m := range r.AllowedMethod {
			if !slices.Contains(corsMethods(), m) {
				return errInvalidRequest.saying("Found unsupported HTTP method in CORS config. Unsupported method is %s", m)
			}
		}
		for _, p := range slices.Concat(r.AllowedOrigin, r.AllowedHeader) {
			if strings.Count(p, "*") > 1 {
				return errInvalidRequest.saying("%q can not have more than one wildcard.", p)
			}
		}
	}
	return nil
}

func (q *request) deleteCORS() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if err := q.srv.st.configure(b, func(conf *bucketConf) { conf.CORS = nil }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
