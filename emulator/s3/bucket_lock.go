package s3

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"
)

// The longest default retention.
const (
	maxLockDays  = 36500
	maxLockYears = 100
)

const lockConfiguration = "ObjectLockConfiguration"

type defaultRetentionXML struct {
	Mode  string
	Days  *string `xml:",omitempty"`
	Years *string `xml:",omitempty"`
}

type objectLockXML struct {
	XMLName xml.Name
	Enabled string               `xml:"ObjectLockEnabled"`
	Default *defaultRetentionXML `xml:"Rule>DefaultRetention,omitempty"`
}

func (q *request) getObjectLock() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	lock := b.config().ObjectLock
	if lock == nil {
		return errNoLockConfig
	}
	out := objectLockXML{XMLName: xml.Name{Space: xmlNamespace, Local: lockConfiguration}, Enabled: versioningEnabled}
	if lock.Mode != "" {
		out.Default = &defaultRetentionXML{Mode: lock.Mode}
		period, n := &out.Default.Days, lock.Days
		if lock.Years > 0 {
			period, n = &out.Default.Years, lock.Years
		}
		s := strconv.Itoa(n)
		*period = &s
	}
	return q.writeXML(out)
}

// putObjectLock sets how new versions are retained. Only a bucket that was made
// with object lock has it.
func (q *request) putObjectLock() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if b.config().ObjectLock == nil {
		return errLockLater
	}
	var in objectLockXML
	if ok, err := q.readXML(&in); err != nil {
		return err
	} else if !ok || in.XMLName.Local != lockConfiguration {
		return errMalformedXML
	}
	lock, err := in.lock()
	if err != nil {
		return err
	}
	if err := q.srv.st.configure(b, func(c *bucketConf) { c.ObjectLock = lock }); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (x objectLockXML) lock() (*objectLock, error) {
	d := x.Default
	switch {
	case x.Enabled != versioningEnabled:
		return nil, errInvalidArgument.saying("only 'Enabled' value is allowed to ObjectLockEnabled element")
	case d == nil:
		return &objectLock{}, nil
	case d.Mode != governance && d.Mode != compliance:
		return nil, errInvalidArgument.saying("unknown retention mode %s", d.Mode)
	case d.Days == nil && d.Years == nil:
		return nil, errInvalidArgument.saying("either Days or Years must be specified")
	case d.Days != nil && d.Years != nil:
		return nil, errInvalidArgument.saying("either Days or Years must be specified, not both")
	}
	lock := &objectLock{Mode: d.Mode}
	var err error
	if d.Days != nil {
		lock.Days, err = lockPeriod("Days", *d.Days, maxLockDays)
	} else {
		lock.Years, err = lockPeriod("Years", *d.Years, maxLockYears)
	}
	return lock, err
}

func lockPeriod(unit, s string, most uint64) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 63)
	switch {
	case err != nil:
		return 0, errInvalidArgument.saying("%s", err)
	case n == 0:
		return 0, errInvalidArgument.saying("Default retention period must be a positive integer value for '%s'", unit)
	case n > most:
		return 0, errInvalidArgument.saying("Default retention period too large for '%s' %d", unit, n)
	}
	return int(n), nil
}
