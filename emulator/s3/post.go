package s3

import (
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
)

const (
	maxFormBytes  = 1 << 20 // all that comes before the file
	maxFormFields = 1000
	maxFieldBytes = 64 << 10
)

// postForm is a browser's upload up to its file, which is still to be read.
type postForm struct {
	fields map[string]string // by lower-case name
	file   *multipart.Part
}

// postObject stores the file of a form that carries a signed policy.
func (q *request) postObject() error {
	form, err := readForm(q.r.Header.Get("Content-Type"), q.progressReader())
	if err != nil {
		return err
	}
	fields := form.fields
	pol, err := q.authenticateForm(fields)
	if err != nil {
		return err
	}
	q.key = fields["key"]
	if q.key == "" {
		return errMalformedPOST.saying("Bucket POST must contain a field named 'key'.")
	}
	if err := q.checkNames(); err != nil {
		return err
	}
	if err := q.allow("s3:PutObject", q.bucket, q.key); err != nil {
		return err
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	header := formHeader(fields)
	for name := range header {
		if unsupportedHeader(name) {
			return errNotImplemented.saying("The field %q is not implemented here.", name)
		}
	}
	if v := fields["tagging"]; v != "" {
		encoded, err := formTags(v)
		if err != nil {
			return err
		}
		header.Set(headerTagging, encoded)
	}
	headers, user, err := objectHeaders(header)
	if err != nil {
		return err
	}
	attrs, err := q.attributesOf(b, header)
	if err != nil {
		return err
	}
	algorithm, want, err := wantedChecksum(header)
	if err != nil {
		return err
	}
	p := newPayload(&rangeReader{r: form.file, min: pol.min, max: pol.max}, -1, algorithm)
	p.wantSum = want
	q.body = p
	m := &meta{Key: q.key, Headers: headers, User: user, Attributes: attrs}
	c := change{
		check:  func(entry, bool) error { return nil },
		events: q.eventsFor(b, notification.ObjectCreatedPost),
	}
	if err := q.store(b, p, m, c); err != nil {
		return err
	}
	q.setExpiration(b, m)
	return q.answerForm(fields, m)
}

// readForm reads a form's fields, within bounds, up to its file.
func readForm(contentType string, body io.Reader) (*postForm, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, errMalformedPOST
	}
	bounded := &boundedReader{r: body, left: maxFormBytes}
	mr := multipart.NewReader(bounded, params["boundary"])
	fields := map[string]string{}
	for range maxFormFields {
		part, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, errInvalidArgument.saying("POST requires exactly one file upload per request.")
		}
		if err != nil {
			return nil, formError(err)
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			bounded.left = -1
			expandFilename(fields, part)
			return &postForm{fields: fields, file: part}, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if err != nil {
			return nil, formError(err)
		}
		if _, dup := fields[name]; dup || name == "" || len(value) > maxFieldBytes {
			return nil, errMalformedPOST
		}
		fields[name] = string(value)
	}
	return nil, errMalformedPOST
}

// formError tells a broken form from a client that stalls or goes away.
func formError(err error) error {
	if e := toAPIError(err); e.code != errInternal.code {
		return e
	}
	return errMalformedPOST.because(err)
}

// expandFilename does what S3 does with ${filename}: before any condition.
func expandFilename(fields map[string]string, file *multipart.Part) {
	name := file.FileName()
	for k, v := range fields {
		if k != "policy" && strings.Contains(v, "${filename}") {
			fields[k] = strings.ReplaceAll(v, "${filename}", name)
		}
	}
}

// boundedReader refuses to read more than left bytes; a negative left is none.
type boundedReader struct {
	r    io.Reader
	left int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left < 0 {
		return b.r.Read(p)
	}
	if b.left == 0 {
		return 0, errEntityTooLarge.saying("Your POST request fields preceding the upload file were too large.")
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// rangeReader enforces a content-length-range: it never hands out a byte over
// the limit.
type rangeReader struct {
	r        io.Reader
	min, max int64
	n        int64
}

func (r *rangeReader) Read(p []byte) (int, error) {
	room := r.max - r.n
	if room == 0 {
		var one [1]byte
		if n, err := io.ReadFull(r.r, one[:]); n == 1 {
			return 0, errEntityTooLarge
		} else if !errors.Is(err, io.EOF) {
			return 0, err
		}
		return 0, r.end()
	}
	n, err := r.r.Read(p[:min(int64(len(p)), room)])
	r.n += int64(n)
	if errors.Is(err, io.EOF) {
		err = r.end()
	}
	return n, err
}

func (r *rangeReader) end() error {
	if r.n < r.min {
		return errEntityTooSmall
	}
	return io.EOF
}

// authenticateForm checks the signature of the policy, then the form against it.
func (q *request) authenticateForm(fields map[string]string) (*policy, error) {
	authenticate := q.authenticateFormV4
	switch {
	case fields["policy"] == "":
		return nil, errAccessDenied
	case fields["awsaccesskeyid"] != "":
		authenticate = q.authenticateFormV2
	}
	if err := authenticate(fields); err != nil {
		return nil, err
	}
	pol, err := parsePolicy(fields["policy"])
	if err != nil {
		return nil, errMalformedPolicy.because(err)
	}
	if given, ok := fields["bucket"]; ok && given != q.bucket {
		return nil, errAccessDenied.saying("Access Denied. (Invalid according to Policy: the form names another bucket)")
	}
	fields["bucket"] = q.bucket
	return pol, pol.check(fields, q.srv.now())
}

// authenticateFormV4 checks the signature of a form's policy.
func (q *request) authenticateFormV4(fields map[string]string) error {
	if _, err := parseCredential(fields["x-amz-credential"]); err != nil {
		return err
	}
	if fields["x-amz-algorithm"] != sigAlgorithm {
		return errMalformedPOST.saying("x-amz-algorithm only supports %q", sigAlgorithm)
	}
	t, err := time.Parse(amzDateFormat, fields["x-amz-date"])
	if err != nil {
		return errMissingDate
	}
	cred, key, err := q.credential(fields["x-amz-credential"], t)
	if err != nil {
		return err
	}
	want := hex.EncodeToString(hmacSHA256(cred.signingKey(key.Secret), fields["policy"]))
	if !sameSignature(want, fields["x-amz-signature"]) {
		return errSignatureMismatch
	}
	q.auth = identity{accessKey: cred.accessKey, kind: signedForm, policy: key.Policy, date: fields["x-amz-date"]}
	return nil
}

// formHeader turns the fields into the headers that a PUT would have.
func formHeader(fields map[string]string) http.Header {
	h := http.Header{}
	for name, value := range fields {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case strings.HasPrefix(canonical, userMetaPrefix), strings.HasPrefix(canonical, "X-Amz-Checksum-"),
			strings.HasPrefix(canonical, lockHeaders),
			canonical == headerStorageClass, unsupportedHeader(canonical):
			h.Set(canonical, value)
		}
	}
	for _, name := range storedHeaders() {
		if v, ok := fields[strings.ToLower(name)]; ok {
			h.Set(name, v)
		}
	}
	return h
}

// answerForm answers as success_action_redirect or success_action_status ask.
func (q *request) answerForm(fields map[string]string, m *meta) error {
	h := q.w.Header()
	h.Set("ETag", quote(m.ETag))
	q.setVersion(m.Version)
	m.Checksum.setHeaders(h)
	location := q.origin() + (&url.URL{Path: "/" + q.bucket + "/" + m.Key}).EscapedPath()
	redirect := fields["success_action_redirect"]
	if redirect == "" {
		redirect = fields["redirect"]
	}
	if u, err := url.Parse(redirect); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		v := u.Query()
		v.Set("bucket", q.bucket)
		v.Set("key", m.Key)
		v.Set("etag", quote(m.ETag))
		u.RawQuery = v.Encode()
		h.Set("Location", u.String())
		q.w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	h.Set("Location", location)
	switch fields["success_action_status"] {
	case "200":
		q.w.WriteHeader(http.StatusOK)
	case "201":
		return q.answerCreated(location, m)
	default:
		q.w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

func (q *request) answerCreated(location string, m *meta) error {
	b, err := xml.Marshal(struct {
		XMLName  xml.Name `xml:"PostResponse"`
		Location string
		Bucket   string
		Key      string
		ETag     string
	}{Location: location, Bucket: q.bucket, Key: m.Key, ETag: quote(m.ETag)})
	if err != nil {
		return err
	}
	b = append([]byte(xml.Header), b...)
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	q.w.WriteHeader(http.StatusCreated)
	_, _ = q.w.Write(b) // a client that has gone cannot be told
	return nil
}
