package nomad

import "github.com/drydock/drydock/emulator/nomad/acl"

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

// needManagement is an error unless the caller may do everything.
func (r *request) needManagement() error {
	may, err := r.may()
	if err != nil {
		return err
	}
	if !may.IsManagement() {
		return errDenied
	}
	return nil
}

// needOperator is an error unless the caller has the operator's capability.
func (r *request) needOperator(capability acl.Capability) error {
	may, err := r.may()
	if err != nil {
		return err
	}
	if !may.Operator(capability) {
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
