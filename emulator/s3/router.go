package s3

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// level is what a path names.
type level int

const (
	service level = iota
	bucketLevel
	objectLevel
)

// routeKey chooses a handler: the method, the level, and the sub-resource, which
// is the query parameter that changes what the request means.
type routeKey struct {
	method string
	level  level
	sub    string
}

type route struct {
	handle func(*request) error
	action string   // what the caller has to be allowed, or asksItself
	params []string // the other query parameters it understands
	public bool     // finds out itself who the caller is
}

// asksItself is the action of routes whose handlers ask what the caller may do.
const asksItself = "-"

// subPOST stands for a browser's form, which no query parameter tells apart.
const subPOST = "(form)"

// signingParams may accompany any request: they carry the signature, or are
// names of the operation that SDKs add.
func signingParam(name string) bool {
	switch strings.ToLower(name) {
	case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders",
		"x-amz-signature", "x-amz-security-token", "x-amz-content-sha256", "x-id",
		"awsaccesskeyid", "expires", "signature":
		return true
	}
	return false
}

// request is one request on its way through the server.
type request struct {
	srv    *Server
	w      http.ResponseWriter
	r      *http.Request
	id     string
	bucket string
	key    string
	query  url.Values
	auth   identity
	body   *payload // nil until someone reads it
	news   news
	op     routeKey // the route, once it is known
	// exposeMeta says that a page may read the user metadata of an object.
	exposeMeta bool
}

func (s *Server) newRequest(w http.ResponseWriter, r *http.Request) *request {
	q := &request{srv: s, w: w, r: r, id: s.newRequestID()}
	q.news = news{srv: s, cause: q.cause}
	q.bucket, q.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return q
}

func (q *request) level() level {
	switch {
	case q.bucket == "" && q.key == "":
		return service
	case q.key == "":
		return bucketLevel
	default:
		return objectLevel
	}
}

func (q *request) serve() error {
	if q.srv.closing.Load() {
		return errUnavailable
	}
	if q.r.Method == http.MethodOptions {
		return q.preflight()
	}
	q.addCORSHeaders()
	query, err := url.ParseQuery(q.r.URL.RawQuery)
	if err != nil {
		return errInvalidArgument.saying("The query string is malformed.").because(err)
	}
	q.query = query
	if q.isAdmin() {
		return q.administrate()
	}
	rt, rerr := q.route()
	if rerr != nil || !rt.public {
		if err := q.authenticate(); err != nil {
			return err
		}
	}
	switch {
	case rerr != nil && q.auth.anonymous():
		return errAccessDenied
	case rerr != nil:
		return rerr
	}
	if err := q.checkNames(); err != nil {
		return err
	}
	if err := q.authorize(rt); err != nil {
		return err
	}
	return rt.handle(q)
}

// route finds the handler. What the table does not have is refused, never
// answered as if it were something else.
func (q *request) route() (route, error) {
	lvl := q.level()
	table := q.srv.routes
	key := routeKey{method: q.r.Method, level: lvl}
	if q.r.Method == http.MethodPost && lvl == bucketLevel {
		if ct, _, err := mime.ParseMediaType(q.r.Header.Get("Content-Type")); err == nil && ct == "multipart/form-data" {
			key.sub = subPOST
		}
	}
	for name := range q.query {
		if _, ok := table[routeKey{q.r.Method, lvl, name}]; ok && name != "" {
			key.sub = name
		}
	}
	rt, ok := table[key]
	for name := range q.query {
		if o, ok := q.srv.absent[routeKey{q.r.Method, lvl, name}]; ok && name != "" {
			return route{}, errNotImplemented.saying("%s is not implemented here: %s.", o.name, o.lacks)
		}
		if name != key.sub && !signingParam(name) && !understands(rt, name) {
			return route{}, errNotImplemented.saying("The query parameter %q is not implemented here.", name)
		}
	}
	if !ok {
		return route{}, errMethodNotAllowed
	}
	q.op = key
	return rt, nil
}

func understands(rt route, name string) bool {
	for _, p := range rt.params {
		if p == name {
			return true
		}
	}
	return false
}

const maxKeyLength = 1024

func (q *request) checkNames() error {
	if q.level() != service && !validBucketName(q.bucket) {
		return errInvalidBucketName
	}
	return checkKey(q.key)
}

func checkKey(key string) error {
	switch {
	case len(key) > maxKeyLength:
		return errKeyTooLong
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return errInvalidKey
	}
	return nil
}

// bucketOf returns the bucket that the request names.
func (q *request) bucketOf() (*bucket, error) { return q.srv.st.bucket(q.bucket) }

// refuseHeaders refuses what a client asks for by header and would not get:
// encryption, grants.
func (q *request) refuseHeaders() error {
	for name := range q.r.Header {
		if unsupportedHeader(name) {
			return errNotImplemented.saying("The header %q is not implemented here.", name)
		}
	}
	return nil
}

func unsupportedHeader(name string) bool {
	switch name {
	case "X-Amz-Website-Redirect-Location",
		"X-Amz-Write-Offset-Bytes":
		return true
	}
	for _, p := range []string{"X-Amz-Server-Side-Encryption", "X-Amz-Copy-Source-Server-Side-Encryption", "X-Amz-Grant-"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}
