package s3

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	headerStorageClass        = "X-Amz-Storage-Class"
	headerVersionID           = "X-Amz-Version-Id"
	headerCopySourceVersionID = "X-Amz-Copy-Source-Version-Id"
	headerDeleteMarker        = "X-Amz-Delete-Marker"
	userMetaPrefix            = "X-Amz-Meta-"
	maxUserMeta               = 2 << 10
	defaultContentType        = "binary/octet-stream"
	standardClass             = "STANDARD"
)

// storedHeaders are the request headers that come back with the object.
func storedHeaders() []string {
	return []string{
		"Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding",
		"Content-Language", "Expires", headerStorageClass,
	}
}

// objectHeaders picks from h what is kept with an object.
func objectHeaders(h http.Header) (headers, user map[string]string, err error) {
	headers, user = map[string]string{}, map[string]string{}
	for _, name := range storedHeaders() {
		if v := h.Get(name); v != "" {
			headers[name] = v
		}
	}
	if v := withoutAWSChunked(h.Values("Content-Encoding")); v != "" {
		headers["Content-Encoding"] = v
	} else {
		delete(headers, "Content-Encoding")
	}
	if headers["Content-Type"] == "" {
		headers["Content-Type"] = defaultContentType
	}
	switch headers[headerStorageClass] {
	case "", standardClass:
		delete(headers, headerStorageClass)
	case "REDUCED_REDUNDANCY":
	default:
		return nil, nil, errStorageClass
	}
	size := 0
	for name, vs := range h {
		if strings.HasPrefix(name, userMetaPrefix) {
			user[name] = strings.Join(vs, ",")
			size += len(name) - len(userMetaPrefix) + len(user[name])
		}
	}
	if size > maxUserMeta {
		return nil, nil, errMetadataTooLarge
	}
	return headers, user, nil
}

// withoutAWSChunked removes the coding that only the upload had.
func withoutAWSChunked(values []string) string {
	var kept []string
	for c := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if c = strings.TrimSpace(c); c != "" && !strings.EqualFold(c, "aws-chunked") {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, ",")
}

// etagMatches tells whether a list of entity tags, as in If-Match, has etag.
func etagMatches(list []string, etag string) bool {
	for v := range strings.SplitSeq(strings.Join(list, ","), ",") {
		v = strings.TrimPrefix(strings.TrimSpace(v), "W/")
		if v == "*" || strings.Trim(v, `"`) == etag {
			return true
		}
	}
	return false
}

// writeCondition is the check that If-Match and If-None-Match ask of a write. One
// that fails says what there is.
func (q *request) writeCondition() func(cur entry, exists bool) error {
	h := q.r.Header
	match, noneMatch := slices.Clone(h.Values("If-Match")), slices.Clone(h.Values("If-None-Match"))
	return func(cur entry, exists bool) error {
		if len(match) > 0 {
			if !exists {
				return errNoSuchKey
			}
			if !etagMatches(match, cur.etag) {
				q.w.Header().Set("ETag", quote(cur.etag))
				return errPreconditionFailed
			}
		}
		if len(noneMatch) > 0 && exists && etagMatches(noneMatch, cur.etag) {
			q.w.Header().Set("ETag", quote(cur.etag))
			return errPreconditionFailed
		}
		return nil
	}
}

// readCondition is the check that the four conditional headers ask of a read,
// in RFC 9110's order. prefix is "" or "X-Amz-Copy-Source-".
func readCondition(h http.Header, prefix string, m *meta) error {
	modified := m.Modified.Truncate(time.Second)
	if v := h.Values(prefix + "If-Match"); len(v) > 0 {
		if !etagMatches(v, m.ETag) {
			return errPreconditionFailed
		}
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Unmodified-Since")); err == nil && modified.After(t) {
		return errPreconditionFailed
	}
	fresh := errNotModified
	if prefix != "" {
		fresh = errPreconditionFailed
	}
	if v := h.Values(prefix + "If-None-Match"); len(v) > 0 {
		if etagMatches(v, m.ETag) {
			return fresh
		}
	} else if t, err := http.ParseTime(h.Get(prefix + "If-Modified-Since")); err == nil && !modified.After(t) {
		return fresh
	}
	return nil
}
