package s3

import (
	"encoding/xml"
	"net/http"

	"github.com/google/uuid"
)

// What a bucket's versioning can be; "" is a bucket that never had any.
const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
	nullVersion         = "null"
)

type versioningXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (q *request) getVersioning() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	return q.writeXML(versioningXML{Status: b.config().Versioning})
}

func (q *request) putVersioning() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	var in struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string
	}
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok {
		return errMalformedXML
	}
	if in.Status != versioningEnabled && in.Status != versioningSuspended {
		return errIllegalVersioning.saying("Versioning configuration specified in the request is invalid. (unsupported Versioning status %s)", in.Status)
	}
	if in.Status == versioningSuspended && b.config().ObjectLock != nil {
		return errVersioningLocked
	}
	if err := q.srv.st.configure(b, func(c *bucketConf) { c.Versioning = in.Status }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// newVersion returns the id of the next version of any key: "", the null
// version, unless versioning is enabled.
func (b *bucket) newVersion() string {
	if b.config().Versioning != versioningEnabled {
		return ""
	}
	return uuid.NewString()
}

// versionOf returns the id as it is stored: "" for the null version.
func versionOf(id string) string {
	if id == nullVersion {
		return ""
	}
	return id
}

// versionID returns the id as clients see it.
func versionID(version string) string {
	if version == "" {
		return nullVersion
	}
	return version
}

// versionID returns the version that the URL names, "" for the current one.
func (q *request) versionID() (string, error) {
	id := q.query.Get("versionId")
	return id, checkVersionID(id)
}

// checkVersionID refuses what cannot be the id of a version.
func checkVersionID(id string) error {
	if id == "" || id == nullVersion {
		return nil
	}
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return errInvalidArgument.saying("Invalid version id specified")
	}
	return nil
}

// setVersion tells the id of a version that is not the null version.
func (q *request) setVersion(version string) {
	if version != "" {
		q.w.Header().Set(headerVersionID, version)
	}
}

// setMarker tells of the delete marker that a request has met.
func (q *request) setMarker(e entry) {
	if e.marker {
		q.w.Header().Set(headerDeleteMarker, "true")
		q.w.Header().Set(headerVersionID, versionID(e.version))
	}
}
