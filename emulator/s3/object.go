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
	p, err := q.openBody()
	if err != nil {
		return err
	}
	m := &meta{Key: q.key, Headers: headers, User: user}
	c := change{
		check:  writeCondition(q.r.Header),
		events: q.eventsFor(b, notification.ObjectCreatedPut),
	}
	if err := q.store(b, p, m, c); err != nil {
		return err
	}
	m.Checksum.setHeaders(q.w.Header())
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
	if err := st.seal(m, q.srv.st.sync); err != nil {
		return err
	}
	return q.srv.st.put(b, st, m, c)
}

// checkVersion accepts the one version that an unversioned object has.
func (q *request) checkVersion() error {
	if v := q.query.Get("versionId"); v != "" && v != "null" {
		return errNoSuchVersion
	}
	return nil
}

func (q *request) deleteObject() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if err := q.checkVersion(); err != nil {
		return err
	}
	if err := q.srv.st.remove(b, []string{q.key}, writeCondition(q.r.Header), q.removalEvents(b)); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// removalEvents returns the function that finds what removing a key causes.
func (q *request) removalEvents(b *bucket) func(key string) ([]event, error) {
	build := q.eventsFor(b, notification.ObjectRemovedDelete)
	return func(key string) ([]event, error) { return build(&meta{Key: key}) }
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
	Key string
}

type deleteFailure struct {
	Key     string
	Code    string
	Message string
}

type deleteResult struct {
	XMLName xml.Name        `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult"`
	Deleted []deletedKey    `xml:",omitempty"`
	Errors  []deleteFailure `xml:"Error,omitempty"`
}

// deleteObjects removes up to 1000 keys with one sync.
func (q *request) deleteObjects() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	var in deleteRequest
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok || len(in.Objects) == 0 || len(in.Objects) > maxDeleteKeys {
		return errMalformedXML
	}
	var out deleteResult
	var keys []string
	for _, o := range in.Objects {
		err := checkKey(o.Key)
		switch {
		case o.Key == "":
			err = errInvalidKey
		case o.VersionID != "" && o.VersionID != "null":
			err = errNoSuchVersion
		case o.ETag != "":
			err = errNotImplemented
		}
		if err != nil {
			e := toAPIError(err)
			out.Errors = append(out.Errors, deleteFailure{Key: o.Key, Code: e.code, Message: e.message})
			continue
		}
		keys = append(keys, o.Key)
		if !in.Quiet {
			out.Deleted = append(out.Deleted, deletedKey{o.Key})
		}
	}
	if err := q.srv.st.remove(b, keys, func(entry, bool) error { return nil }, q.removalEvents(b)); err != nil {
		return err
	}
	return q.writeXML(out)
}

func quote(etag string) string { return `"` + etag + `"` }
