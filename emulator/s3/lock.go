package s3

import (
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
)

const (
	governance = "GOVERNANCE"
	compliance = "COMPLIANCE"
	holdOn     = "ON"
	holdOff    = "OFF"

	lockHeaders      = "X-Amz-Object-Lock-"
	headerLockMode   = lockHeaders + "Mode"
	headerLockUntil  = lockHeaders + "Retain-Until-Date"
	headerLegalHold  = lockHeaders + "Legal-Hold"
	headerLockBucket = "X-Amz-Bucket-Object-Lock-Enabled"
	headerBypass     = "X-Amz-Bypass-Governance-Retention"
)

// objectLock is how the versions of a bucket that has object lock are retained
// when a client says nothing else: not at all with mode "".
type objectLock struct {
	Mode  string `json:"mode,omitempty"`
	Days  int    `json:"days,omitempty"`
	Years int    `json:"years,omitempty"`
}

// retention keeps a version until a time: governance unless someone who may
// bypass it does, compliance in any case.
type retention struct {
	Mode  string    `json:"mode,omitempty"`
	Until time.Time `json:"until,omitzero"`
}

func (r retention) active(now time.Time) bool { return r.Mode != "" && now.Before(r.Until) }

// locked refuses to touch a version that is retained or held.
func (a attributes) locked(now time.Time, bypass bool) error {
	if a.LegalHold == holdOn || a.Retention.active(now) && (a.Retention.Mode == compliance || !bypass) {
		return errObjectLocked
	}
	return nil
}

// replaceRetention refuses to weaken what is active.
func (a *attributes) replaceRetention(r retention, now time.Time, bypass bool) error {
	if cur := a.Retention; cur.active(now) {
		longer := r.Mode == cur.Mode && !r.Until.Before(cur.Until)
		if !longer && (cur.Mode == compliance || !bypass) {
			return errObjectLocked
		}
	}
	a.Retention = r
	return nil
}

// initial is the retention that a version written now gets by default.
func (l objectLock) initial(now time.Time) retention {
	if l.Mode == "" {
		return retention{}
	}
	return retention{Mode: l.Mode, Until: now.AddDate(l.Years, 0, l.Days).Truncate(time.Millisecond)}
}

// bypass tells whether the request is to ignore governance, and may.
func (q *request) bypass(key string) bool {
	return strings.EqualFold(q.r.Header.Get(headerBypass), "true") &&
		q.allow("s3:BypassGovernanceRetention", q.bucket, key) == nil
}

// lockOf reads from headers how a new version of b is to be locked.
func (q *request) lockOf(b *bucket, h http.Header) (r retention, hold string, err error) {
	mode, until, hold := h.Get(headerLockMode), h.Get(headerLockUntil), h.Get(headerLegalHold)
	lock := b.config().ObjectLock
	switch {
	case lock == nil && mode+until+hold == "":
		return r, "", nil
	case lock == nil:
		return r, "", errNoBucketLock
	case (mode == "") != (until == ""):
		return r, "", errInvalidRequest.saying("x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	}
	if hold = strings.ToUpper(hold); hold != "" && hold != holdOn && hold != holdOff {
		return r, "", errInvalidRequest.saying("unknown wormMode directive")
	}
	if mode == "" {
		return lock.initial(q.srv.now().UTC()), hold, nil
	}
	if mode = strings.ToUpper(mode); mode != governance && mode != compliance {
		return r, "", errInvalidRequest.saying("unknown wormMode directive")
	}
	at, err := time.Parse(time.RFC3339, until)
	switch {
	case err != nil:
		return r, "", errInvalidRequest.saying("Date must be provided in ISO 8601 format")
	case !at.After(q.srv.now()):
		return r, "", errInvalidRequest.saying("the retain until date must be in the future")
	}
	return retention{Mode: mode, Until: at.UTC()}, hold, nil
}

// headers are how the lock of a version looks in a response.
func (a attributes) headers() map[string]string {
	if a.Retention.Mode == "" && a.LegalHold == "" {
		return nil
	}
	h := map[string]string{}
	if a.Retention.Mode != "" {
		h[headerLockMode], h[headerLockUntil] = a.Retention.Mode, xmlTime(a.Retention.Until)
	}
	if a.LegalHold != "" {
		h[headerLegalHold] = a.LegalHold
	}
	return h
}

// lockedBucket returns the bucket of a request about the lock of an object.
func (q *request) lockedBucket() (*bucket, error) {
	b, err := q.bucketOf()
	if err == nil && b.config().ObjectLock == nil {
		return nil, errNoBucketLock
	}
	return b, err
}

// lockTarget finds the version that a request about a lock names.
func (q *request) lockTarget() (attributes, error) {
	b, err := q.lockedBucket()
	if err != nil {
		return attributes{}, err
	}
	e, err := q.target(b)
	return e.attributes.get(), err
}

type retentionXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Retention"`
	Mode    string
	Until   string `xml:"RetainUntilDate"`
}

func (q *request) getRetention() error {
	a, err := q.lockTarget()
	switch {
	case err != nil:
		return err
	case a.Retention.Mode == "":
		return errNoObjectLock
	}
	q.mentionTarget(notification.ObjectAccessedGetRetention)
	return q.writeXML(retentionXML{Mode: a.Retention.Mode, Until: xmlTime(a.Retention.Until)})
}

func (q *request) putRetention() error {
	var in struct {
		XMLName xml.Name `xml:"Retention"`
		Mode    string
		Until   string `xml:"RetainUntilDate"`
	}
	if _, err := q.lockedBucket(); err != nil {
		return err
	}
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok {
		return errMalformedXML
	}
	now := q.srv.now()
	var r retention
	if in.Mode != "" || in.Until != "" {
		at, err := time.Parse(time.RFC3339, in.Until)
		switch {
		case in.Mode == "" || in.Until == "":
			return errMalformedXML
		case in.Mode != governance && in.Mode != compliance:
			return errMalformedXML.saying("unknown WORM mode directive")
		case err != nil:
			return errMalformedXML.saying("date must be provided in ISO 8601 format")
		case !at.After(now):
			return errMalformedXML.saying("the retain until date must be in the future")
		}
		r = retention{Mode: in.Mode, Until: at.UTC()}
	}
	bypass := q.bypass(q.key)
	return q.changeLock(notification.ObjectCreatedPutRetention, func(a *attributes) error {
		return a.replaceRetention(r, now, bypass)
	})
}

type legalHoldXML struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LegalHold"`
	Status  string
}

func (q *request) getLegalHold() error {
	a, err := q.lockTarget()
	switch {
	case err != nil:
		return err
	case a.LegalHold == "":
		return errNoObjectLock
	}
	q.mentionTarget(notification.ObjectAccessedGetLegalHold)
	return q.writeXML(legalHoldXML{Status: a.LegalHold})
}

func (q *request) putLegalHold() error {
	var in struct {
		XMLName xml.Name `xml:"LegalHold"`
		Status  string
	}
	if _, err := q.lockedBucket(); err != nil {
		return err
	}
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok || in.Status != holdOn && in.Status != holdOff {
		return errMalformedXML
	}
	return q.changeLock(notification.ObjectCreatedPutLegalHold, func(a *attributes) error {
		a.LegalHold = in.Status
		return nil
	})
}

// changeLock edits the lock of the version that the URL names, and answers.
func (q *request) changeLock(kind notification.EventType, edit func(a *attributes) error) error {
	if _, err := q.changeAttributes(kind, edit); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}
