package consul

import (
	"errors"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// authorizer answers what a caller may do; it is what package acl makes of rules.
type authorizer interface {
	Allows(access acl.Access, resource acl.Resource, name string) bool
}

// caller is who makes a request, and what it may do.
type caller struct {
	accessor string // of its token; empty where access control is off
	may      *acl.Authorizer
}

// identify resolves the request's token, once. A token that does not exist is an error.
func (r *request) identify() (*caller, error) {
	if r.caller != nil {
		return r.caller, nil
	}
	var err error
	if r.agent.recovers(r.token) {
		r.caller, err = r.agent.recoverer()
	} else {
		r.caller, err = r.dc.resolve(r.shownSecret())
	}
	return r.caller, err
}

// need is an error unless the caller may do what is named.
func (r *request) need(access acl.Access, resource acl.Resource, name string) error {
	c, err := r.identify()
	if err != nil {
		return err
	}
	if access == acl.List && !r.dc.consul.options.ACL.KeyList {
		access = acl.Read
	}
	return c.may.Check(c.accessor, access, resource, name)
}

// needBriefly is need for those endpoints whose refusal does not say what is missing.
func (r *request) needBriefly(access acl.Access, resource acl.Resource, name string) error {
	err := r.need(access, resource, name)
	var denied *acl.DeniedError
	if errors.As(err, &denied) {
		return errDenied
	}
	return err
}

// needAllBelow is an error unless the caller may do it with all keys that begin
// with the prefix.
func (r *request) needAllBelow(access acl.Access, prefix string) error {
	c, err := r.identify()
	if err != nil {
		return err
	}
	if c.may.AllowsAllBelow(access, prefix) {
		return nil
	}
	return &acl.DeniedError{AccessorID: c.accessor, Access: access, Resource: acl.Key, Name: prefix}
}

// filtered is called by handlers that leave out what the caller may not see, so
// that the answer says so: to those who have shown a token, as in Consul.
func (r *request) filtered() {
	if r.caller != nil && r.caller.accessor != acl.AnonymousAccessorID {
		r.header.Set("X-Consul-Results-Filtered-By-Acls", "true")
	}
}
