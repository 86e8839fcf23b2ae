package s3

import (
	"encoding/xml"
	"net/http"

	"github.com/minio/minio-go/v7/pkg/notification"
)

// putObject stores the body, or copies another object.
func (q *request) putObject() error {
	if q.r.Header.Get("X-Amz-Copy-Source") != "" {
		return q.copyObject()
	}
	if err := q.refuseHeaders(); err != nil {
		return err
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	headers, user, err := objectHeaders(q.r.Header)
	if err != nil {
		return err
	}
	attrs, err := q.attributesOf(b, q.r.Header)
	if err != nil {
		return err
	}
	p, err := q.openBody()
	if err != nil {
		return err
	}
	m := &meta{Key: q.key, Headers: headers, User: user, Attributes: attrs}
	c := change{
		check:  q.writeCondition(),
		events: q.eventsFor(b, notification.ObjectCreatedPut),
	}
	if err := q.store(b, p, m, c); err != nil {
		return err
	}
	m.Checksum.setHeaders(q.w.Header())
	q.setVersion(m.Version)
	q.setExpiration(b, m)
	q.w.Header().Set("ETag", quote(m.ETag))
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// store writes a payload as the object that m describes and commits it. It
// fills in the size, the ETag, the checksum and the time.
func (q *request) store(b *bucket, p *payload, m *meta, c change) error {
	if err := c.check(b.index.get(m.Key)); err != nil {
		return err
	}
	st, err := q.srv.st.stage()
	if err != nil {
		return err
	}
	defer st.discard()
	if err := st.readFrom(p); err != nil {
		return err
	}
	m.ETag, m.Checksum, m.Modified = p.etag(), p.checksum(), q.srv.now().UTC()
	if err := q.srv.st.seal(b, st, m); err != nil {
		return err
	}
	return q.srv.st.put(b, st, m, c)
}

func (q *request) deleteObject() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if q.forced() {
		return q.forceDeleteObject(b)
	}
	w := removal{key: q.key}
	if w.version, err = q.versionID(); err != nil {
		return err
	}
	cond := q.writeCondition()
	done, err := q.srv.st.remove(b, []removal{w}, q.removing(b, func(_ removal, cur entry, exists bool) error {
		return cond(cur, exists)
	}))
	if err != nil {
		return err
	}
	if done[0].err != nil {
		return done[0].err
	}
	switch d := done[0]; {
	case !d.found:
		q.news.mention(b, objectRemovedNoOP, &meta{Key: w.key, Version: w.version})
	case d.still:
		q.news.mention(b, notification.ObjectRemovedDeleteMarkerCreated, &meta{Key: w.key, Version: versionID(d.version)})
	}
	q.setVersion(done[0].version)
	if done[0].marker && done[0].version != "" {
		q.w.Header().Set(headerDeleteMarker, "true")
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// removing is how this request removes from b.
func (q *request) removing(b *bucket, check func(w removal, cur entry, exists bool) error) removing {
	now, bypass := q.srv.now().UTC(), map[string]bool{}
	guard := func(w removal, cur entry, exists bool) error {
		if err := check(w, cur, exists); err != nil || w.version == "" || cur.attributes == nil {
			return err
		}
		if _, known := bypass[w.key]; !known {
			bypass[w.key] = q.bypass(w.key)
		}
		return cur.attributes.locked(now, bypass[w.key])
	}
	return removing{
		now: now, check: guard,
		events: func(name notification.EventType, m *meta) ([]event, error) { return q.eventsFor(b, name)(m) },
	}
}

const maxDeleteKeys = 1000

type deleteRequest struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool
	Objects []struct {
		Key       string
		VersionID string `xml:"VersionId"`
		ETag      string
	} `xml:"Object"`
}

type deletedKey struct {
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
}

type deleteFailure struct {
	Code      string
	Message   string
	Key       string
	VersionID string `xml:"VersionId"`
}

type deleteResult struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedKey    `xml:",omitempty"`
	Errors  []deleteFailure `xml:"Error,omitempty"`
}

func (r *deleteResult) fail(w removal, err error) {
	e := toAPIError(err)
	r.Errors = append(r.Errors, deleteFailure{Code: e.code, Message: e.message, Key: w.key, VersionID: w.version})
}

// deleteObjects removes up to 1000 keys with one sync.
func (q *request) deleteObjects() error {
	if err := q.needDigest(); err != nil {
		return err
	}
	var in deleteRequest
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok || len(in.Objects) == 0 || len(in.Objects) > maxDeleteKeys {
		return errMalformedXML
	}
	var out deleteResult
	var what []removal
	for _, o := range in.Objects {
		w := removal{key: o.Key, version: o.VersionID}
		err := checkDelete(w, o.ETag)
		if err == nil {
			err = q.allowRemovalOf(w.key, w.version)
		}
		if err != nil {
			out.fail(w, err)
			continue
		}
		what = append(what, w)
	}
	if len(what) == 0 { // nor is who may do nothing told whether there is such a bucket
		return q.writeXML(out)
	}
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	how := q.removing(b, func(removal, entry, bool) error { return nil })
	how.many = true
	done, err := q.srv.st.remove(b, what, how)
	if err != nil {
		return err
	}
	for i, w := range what {
		if d := done[i]; d.err == nil && !d.found {
			kind := notification.ObjectRemovedDelete // as MinIO says, though there was nothing
			if d.marker {
				kind = notification.ObjectRemovedDeleteMarkerCreated
			}
			q.news.mention(b, kind, &meta{Key: w.key, Version: d.version})
		}
		switch d := done[i]; {
		case d.err != nil:
			out.fail(w, d.err)
		case in.Quiet:
		case w.version == "" && d.marker:
			out.Deleted = append(out.Deleted, deletedKey{Key: w.key, DeleteMarker: true, DeleteMarkerVersionID: d.version})
		default:
			out.Deleted = append(out.Deleted, deletedKey{Key: w.key, VersionID: w.version})
		}
	}
	return q.writeXML(out)
}

func checkDelete(w removal, etag string) error {
	if err := checkKey(w.key); err != nil {
		return err
	}
	switch {
	case w.key == "":
		return errInvalidKey
	case checkVersionID(w.version) != nil:
		return errNoSuchVersion
	case etag != "":
		return errNotImplemented
	}
	return nil
}

func quote(etag string) string { return `"` + etag + `"` }
