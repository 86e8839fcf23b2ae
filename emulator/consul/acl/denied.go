package acl

import "fmt"

// AnonymousAccessorID is the accessor of the token that stands for requests
// without one.
const AnonymousAccessorID = "00000000-0000-0000-0000-000000000002"

// DeniedError says what a token lacks, in the words of Consul.
type DeniedError struct {
	AccessorID string // of the token
	Resource   Resource
	Access     Access
	Name       string // of the thing; empty for resources without names
}

// Error tells the holder of the token which permission is missing.
func (e *DeniedError) Error() string {
	missing := fmt.Sprintf("lacks permission '%s:%s'", e.Resource, e.Access)
	if e.Name != "" && e.Resource.named() {
		missing += ` on "` + e.Name + `"`
	}
	if e.AccessorID == AnonymousAccessorID {
		return "Permission denied: anonymous token " + missing +
			". The anonymous token is used implicitly when a request does not specify a token."
	}
	return fmt.Sprintf("Permission denied: token with AccessorID '%s' %s", e.AccessorID, missing)
}

// Check returns a *DeniedError for the token named by accessorID unless a
// allows the access.
func (a *Authorizer) Check(accessorID string, access Access, resource Resource, name string) error {
	if a.Allows(access, resource, name) {
		return nil
	}
	return &DeniedError{AccessorID: accessorID, Resource: resource, Access: access, Name: name}
}
