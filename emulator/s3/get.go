package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
)

const sendWindow = 4 << 20

// find finds a version of an object, "" for the current one.
func (b *bucket) find(key, version string) (entry, error) {
	if version == "" {
		e, exists := b.index.get(key)
		if !exists {
			return e, errNoSuchKey
		}
		return e, nil
	}
	e, ok := b.index.version(key, versionOf(version))
	switch {
	case !ok:
		return e, errNoSuchVersion
	case e.marker:
		return e, errMethodNotAllowed
	}
	return e, nil
}

// openObject opens a version of what the bucket has under key, "" for the
// current one; the caller closes the file. The metadata has the attributes that
// the version has now.
func (q *request) openObject(b *bucket, key, version string) (*os.File, *meta, error) {
	for {
		e, err := q.findObject(b, key, version)
		if err != nil {
			q.setMarker(e)
			return nil, nil, err
		}
		f, m, err := openBlob(b.objectPath(key, e.version))
		if err == nil && m.Sequence == e.sequence {
			m.Attributes = e.attributes.get()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return f, m, err
		}
		if now, ok := b.index.version(key, e.version); ok && now.sequence == e.sequence {
			return nil, nil, err // only a damaged disk loses it
		}
	}
}

// findObject finds a version of an object, "" for the current one, which is not
// there any more when its lifecycle is over.
func (q *request) findObject(b *bucket, key, version string) (entry, error) {
	e, err := b.find(key, version)
	if err != nil || version != "" {
		return e, err
	}
	if expired := b.expired(q.srv.now()); expired != nil && expired(e) {
		q.expireNow(b, e)
		return e, errNoSuchKey
	}
	return e, nil
}

// target finds the version of an object that the URL names.
func (q *request) target(b *bucket) (entry, error) {
	version, err := q.versionID()
	if err != nil {
		return entry{}, err
	}
	return q.findObject(b, q.key, version)
}

// getObject answers GET and HEAD.
func (q *request) getObject() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	version, err := q.versionID()
	if err != nil {
		return err
	}
	f, m, err := q.openObject(b, q.key, version)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := readCondition(q.r.Header, "", m); err != nil {
		q.w.Header().Set("ETag", quote(m.ETag))
		if errors.Is(err, errNotModified) {
			q.setObjectHeaders(m)
		}
		return err
	}
	h := q.w.Header()
	start, length, partial, err := q.extent(m)
	if err != nil {
		return err
	}
	q.setObjectHeaders(m)
	if version == "" {
		q.setExpiration(b, m)
	}
	q.overrideHeaders()
	h.Set("Content-Length", strconv.FormatInt(length, 10))
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		if length > 0 {
			h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, start+length-1, m.Size))
		}
	} else if q.wantsChecksum() {
		m.Checksum.setHeaders(h)
	}
	q.w.WriteHeader(status)
	if q.r.Method == http.MethodHead {
		q.news.mention(b, notification.ObjectAccessedHead, m)
		return nil
	}
	q.send(f, start, length)
	q.news.mention(b, notification.ObjectAccessedGet, m)
	return nil
}

// extent is what of an object is asked for: a part, a range, or all of it.
func (q *request) extent(m *meta) (start, length int64, partial bool, err error) {
	if q.query.Has("partNumber") {
		start, length, err = q.partExtent(m)
		return start, length, true, err
	}
	header := q.rangeHeader(m)
	start, length, partial, err = parseRange(header, m.Size)
	if err != nil {
		q.w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", m.Size))
		err = errInvalidRange.saying("The requested range '%s' is not satisfiable", header)
	}
	return start, length, partial, err
}

func (q *request) wantsChecksum() bool {
	return strings.EqualFold(q.r.Header.Get(headerChecksumMode), "ENABLED")
}

// partExtent finds the part that partNumber names and tells of it. An object
// that was uploaded at once has one.
func (q *request) partExtent(m *meta) (start, length int64, err error) {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	switch {
	case err != nil || number < 1:
		return 0, 0, errPartArgument
	case q.r.Header.Get("Range") != "":
		return 0, 0, errInvalidRequest.saying("Cannot specify both Range header and partNumber query parameter")
	case len(m.Parts) == 0 && number == 1:
		return 0, m.Size, nil
	}
	for _, p := range m.Parts {
		if p.Number == number {
			q.w.Header().Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(m.Parts)))
			if q.wantsChecksum() {
				checksum{Algorithm: m.Checksum.Algorithm, Value: p.Checksum, Type: m.Checksum.Type}.setHeaders(q.w.Header())
			}
			return start, p.Size, nil
		}
		start += p.Size
	}
	return 0, 0, errInvalidPartNumber
}

// send copies part of a file to the client. A client that stops reading loses
// the connection: the status has gone out already.
func (q *request) send(f *os.File, start, length int64) {
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		panic(http.ErrAbortHandler)
	}
	rc := http.NewResponseController(q.w)
	for length > 0 {
		// A writer that has no deadlines, as in tests, is not timed.
		_ = rc.SetWriteDeadline(time.Now().Add(q.srv.opts.SendTimeout))
		n, err := io.CopyN(q.w, f, min(length, sendWindow))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		length -= n
	}
	_ = rc.SetWriteDeadline(time.Time{})
}

func (q *request) setObjectHeaders(m *meta) {
	h := q.w.Header()
	h.Set("ETag", quote(m.ETag))
	h.Set("Last-Modified", m.Modified.UTC().Format(http.TimeFormat))
	h.Set("Accept-Ranges", "bytes")
	q.setVersion(m.Version)
	q.setTagCount(m.Attributes.Tags)
	for name, v := range m.Attributes.headers() {
		h.Set(name, v)
	}
	for name, v := range m.Headers {
		h.Set(name, v)
	}
	for name, v := range m.User {
		h[strings.ToLower(name)] = []string{mime.QEncoding.Encode("UTF-8", v)} // clients show how it is written
	}
	q.exposeHeaders(m.User)
}

// overrideHeaders does what the response-… parameters ask.
func (q *request) overrideHeaders() {
	for _, name := range []string{"Content-Type", "Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"} {
		if v := q.query.Get("response-" + strings.ToLower(name)); v != "" {
			q.w.Header().Set(name, v)
		}
	}
}

// rangeHeader returns the range asked for, unless If-Range says that it is of
// another version of the object.
func (q *request) rangeHeader(m *meta) string {
	header := q.r.Header.Get("Range")
	cond := q.r.Header.Get("If-Range")
	if cond == "" || etagMatches([]string{cond}, m.ETag) {
		return header
	}
	if t, err := http.ParseTime(cond); err == nil && m.Modified.Truncate(time.Second).Equal(t) {
		return header
	}
	return ""
}

// parseRange reads a single byte range. What is not one is ignored, as RFC 9110
// allows; what lies outside of the object is refused.
func parseRange(header string, size int64) (start, length int64, partial bool, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !ok || !dash || strings.Contains(spec, ",") {
		return 0, size, false, nil
	}
	if first == "" {
		n, err := parseOffset(last)
		switch {
		case err != nil:
			return 0, size, false, nil
		case n == 0 || size == 0:
			return 0, 0, false, errInvalidRange
		}
		n = min(n, size)
		return size - n, n, true, nil
	}
	from, err := parseOffset(first)
	if err != nil {
		return 0, size, false, nil
	}
	to := size - 1
	if last != "" {
		end, err := parseOffset(last)
		if err != nil || end < from {
			return 0, size, false, nil
		}
		to = min(to, end)
	}
	if from >= size {
		return 0, 0, false, errInvalidRange
	}
	return from, to - from + 1, true, nil
}

// parseOffset reads digits only; a number too large for int64 is the largest.
func parseOffset(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return int64(n), nil
	}
	return int64(n), err
}
