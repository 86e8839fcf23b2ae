package s3

import (
	"encoding/xml"
	"net/http"
)

const (
	privateACL  = "private"
	fullControl = "FULL_CONTROL"
)

// accessControlPolicy is the one ACL there is: the owner may do everything.
// Who else may do what is for policies to say.
type accessControlPolicy struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Owner   ownerXML
	Grants  []grantXML `xml:"AccessControlList>Grant"`
}

type grantXML struct {
	Grantee    granteeXML
	Permission string
}

type granteeXML struct {
	XMLNS string `xml:"xmlns:xsi,attr"`
	XSI   string `xml:"xsi:type,attr"`
	Type  string
}

// getACL answers for buckets and for objects.
func (q *request) getACL() error {
	if err := q.aclTarget(); err != nil {
		return err
	}
	return q.writeXML(accessControlPolicy{Grants: []grantXML{{
		Grantee:    granteeXML{XMLNS: "http://www.w3.org/2001/XMLSchema-instance", XSI: "CanonicalUser", Type: "CanonicalUser"},
		Permission: fullControl,
	}}})
}

// putACL accepts what is so already, and refuses every other ACL.
func (q *request) putACL() error {
	if err := q.aclTarget(); err != nil {
		return err
	}
	switch canned := q.r.Header.Get("X-Amz-Acl"); canned {
	case privateACL:
	case "":
		var in accessControlPolicy
		if ok, err := q.readXML(&in); err != nil {
			return err
		} else if !ok {
			return errMalformedXML
		}
		if len(in.Grants) != 1 || in.Grants[0].Permission != fullControl {
			return errNotImplemented
		}
	default:
		return errNotImplemented
	}
	q.w.WriteHeader(http.StatusOK)
	return nil
}

// aclTarget checks that what the ACL is of exists.
func (q *request) aclTarget() error {
	b, err := q.bucketOf()
	if err != nil || q.key == "" {
		return err
	}
	_, err = q.target(b)
	return err
}
