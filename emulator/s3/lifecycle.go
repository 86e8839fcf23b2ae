package s3

import (
	"encoding/xml"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/tags"
)

const (
	maxLifecycleRules = 1000
	maxRuleID         = 255
	ruleEnabled       = "Enabled"
	ruleDisabled      = "Disabled"
)

var (
	errNoSuchLifecycle    = newError(http.StatusNotFound, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
	errLifecycleMalformed = errInvalidArgument.saying("The XML you provided was not well-formed or did not validate against our published schema")
)

func (q *request) getLifecycle() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	conf := b.config()
	if conf.Lifecycle == nil {
		return errNoSuchLifecycle
	}
	if q.query.Get("withUpdatedAt") == "true" {
		q.w.Header().Set("X-Minio-LifecycleConfig-UpdatedAt", conf.LifecycleAt.Format(amzDateFormat))
	}
	return q.writeXML(conf.Lifecycle)
}

func (q *request) putLifecycle() error {
	b, err := q.bucketOf()
	if err != nil {
		return err
	}
	if err := q.needDigest(); err != nil {
		return err
	}
	var c lifecycle.Configuration
	if ok, err := q.readXML(&c); err != nil {
		return lifecycleError(err)
	} else if !ok {
		return errMalformedXML
	}
	if err := checkLifecycle(&c); err != nil {
		return err
	}
	if err := q.srv.st.configure(b, func(conf *bucketConf) {
		conf.Lifecycle, conf.LifecycleAt = &c, q.srv.now().UTC()
	}); err != nil {
		return err
	}
	q.srv.scanner.kick()
	q.w.WriteHeader(http.StatusOK)
	return nil
}

func (q *request) deleteLifecycle() error {
	return q.forget(func(conf *bucketConf) { conf.Lifecycle = nil })
}

// lifecycleError tells a date or a number that is none from XML that is none.
func lifecycleError(err error) error {
	var date *time.ParseError
	var number *strconv.NumError
	var syntax *xml.SyntaxError
	switch {
	case errors.As(err, &date):
		return errInvalidArgument.saying("Date must be provided in ISO 8601 format")
	case errors.As(err, &number) && !errors.As(err, &syntax):
		return errLifecycleMalformed
	}
	return err
}

// checkLifecycle refuses what MinIO refuses, and gives rules without an ID one.
func checkLifecycle(c *lifecycle.Configuration) error {
	switch {
	case len(c.Rules) == 0:
		return errInvalidArgument.saying("Lifecycle configuration should have at least one rule")
	case len(c.Rules) > maxLifecycleRules:
		return errInvalidArgument.saying("Lifecycle configuration allows a maximum of %d rules", maxLifecycleRules)
	}
	c.XMLName = xml.Name{Local: "LifecycleConfiguration"}
	ids := map[string]bool{}
	for i := range c.Rules {
		r := &c.Rules[i]
		if err := checkLifecycleRule(r); err != nil {
			return err
		}
		if r.ID == "" {
			r.ID = uuid.NewString()
		}
		if ids[r.ID] {
			return errInvalidArgument.saying("Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[r.ID] = true
	}
	return nil
}

func checkLifecycleRule(r *lifecycle.Rule) error {
	switch {
	case r.Status == "":
		return errInvalidArgument.saying("Status should not be empty")
	case r.Status != ruleEnabled && r.Status != ruleDisabled:
		return errInvalidArgument.saying("Status must be set to either Enabled or Disabled")
	case len(r.ID) > maxRuleID:
		return errInvalidArgument.saying("ID length is limited to %d characters", maxRuleID)
	case !r.Transition.IsNull() || !r.NoncurrentVersionTransition.IsStorageClassEmpty():
		return errStorageClass // there are no tiers
	case !r.AllVersionsExpiration.IsNull(), r.Compression != nil, r.NoncurrentVersionCompression != nil:
		return errLifecycleMalformed
	}
	if err := checkLifecycleFilter(r); err != nil {
		return err
	}
	return checkLifecycleActions(r)
}

func checkLifecycleActions(r *lifecycle.Rule) error {
	exp, non := r.Expiration, r.NoncurrentVersionExpiration
	timed := !exp.IsDaysNull() || !exp.IsDateNull()
	switch {
	case exp.Days < 0 || non.NoncurrentDays < 0 || r.DelMarkerExpiration.Days < 0 || r.AbortIncompleteMultipartUpload.DaysAfterInitiation < 0:
		return errInvalidArgument.saying("Days must be positive integer when used with Expiration")
	case non.NewerNoncurrentVersions < 0:
		return errLifecycleMalformed
	case !exp.IsDaysNull() && !exp.IsDateNull():
		return errInvalidArgument.saying("Exactly one of Days (positive integer) or Date (positive ISO 8601 format) should be present inside Expiration.")
	case !exp.IsDateNull() && !exp.Date.Equal(exp.Date.Truncate(24*time.Hour)):
		return errInvalidArgument.saying("'Date' must be at midnight GMT")
	case timed && bool(exp.DeleteMarker):
		return errInvalidArgument.saying("Delete marker cannot be specified with Days or Date in a Lifecycle Expiration Policy")
	case exp.DeleteAll.IsEnabled() && exp.IsDaysNull():
		return errInvalidArgument.saying("Days (positive integer) should be present inside Expiration with ExpiredObjectAllVersions.")
	case exp.IsNull() && non.IsDaysNull() && non.NewerNoncurrentVersions == 0 && r.DelMarkerExpiration.IsNull() && r.AbortIncompleteMultipartUpload.IsDaysNull():
		return errLifecycleMalformed
	}
	return nil
}

func checkLifecycleFilter(r *lifecycle.Rule) error {
	f := r.RuleFilter
	if r.Prefix != "" && !f.IsNull() {
		return errLifecycleMalformed
	}
	kinds := 0
	for _, given := range []bool{f.Prefix != "", !f.Tag.IsEmpty(), !f.And.IsEmpty(), f.ObjectSizeGreaterThan != 0, f.ObjectSizeLessThan != 0} {
		if given {
			kinds++
		}
	}
	if kinds > 1 {
		return errInvalidArgument.saying("Filter must have exactly one of Prefix, Tag, or And specified")
	}
	and := f.And
	if f.ObjectSizeGreaterThan < 0 || f.ObjectSizeLessThan < 0 || and.ObjectSizeGreaterThan < 0 || and.ObjectSizeLessThan < 0 {
		return errLifecycleMalformed
	}
	parts := len(and.Tags)
	for _, given := range []bool{and.Prefix != "", and.ObjectSizeGreaterThan != 0, and.ObjectSizeLessThan != 0} {
		if given {
			parts++
		}
	}
	if parts == 1 {
		return errLifecycleMalformed
	}
	return checkLifecycleTags(append(slices.Clone(and.Tags), f.Tag))
}

func checkLifecycleTags(all []lifecycle.Tag) error {
	seen := map[string]bool{}
	for _, t := range all {
		if t.IsEmpty() {
			continue
		}
		if err := (tags.Tag{Key: t.Key, Value: t.Value}).Validate(); err != nil {
			return errInvalidArgument.saying("%s", err)
		}
		if seen[t.Key] {
			return errInvalidArgument.saying("Duplicate Tag Keys are not allowed")
		}
		seen[t.Key] = true
	}
	return nil
}
