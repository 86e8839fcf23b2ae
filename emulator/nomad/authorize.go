package nomad

import "github.com/drydock/drydock/emulator/nomad/acl"

// caller is who makes a request, and what it may do.
type caller struct {
	may *acl.Authorizer
}

// identify resolves the request's token, once.
func (r *request) identify() (*caller, error) {
	if r.caller == nil {
		r.caller = &caller{may: acl.Management()}
	}
	return r.caller, nil
}

// may is what the caller may do, for the handlers that leave out what it may not see.
func (r *request) may() (*acl.Authorizer, error) {
	c, err := r.identify()
	if err != nil {
		return nil, err
	}
	return c.may, nil
}

// needIn is an error unless the caller has one of the capabilities in the
// namespace; in "*", unless it has it in any.
func (r *request) needIn(namespace string, any ...acl.Capability) error {
	may, err := r.may()
	if err != nil {
		return err
	}
	if namespace == allNamespaces && may.AnyNamespace(any...) || may.Namespace(namespace, any...) {
		return nil
	}
	return errDenied
}

// need is an error unless the caller has the access to the resource.
func (r *request) need(access acl.Access, resource acl.Resource) error {
	may, err := r.may()
	if err != nil {
		return err
	}
	if !may.Allows(access, resource) {
		return errDenied
	}
	return nil
}

// allNamespaces stands for all namespaces that the caller may see.
const allNamespaces = "*"

// isNode tells whether the caller is the node of the ID, which says so with its secret.
func (r *request) isNode(id string) bool {
	if r.token == "" {
		return false
	}
	node := r.region.store.View().NodeBySecret(r.token)
	return node != nil && node.ID == id
}
