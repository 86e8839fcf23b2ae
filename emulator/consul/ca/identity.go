package ca

import (
	"fmt"
	"net/url"
	"regexp"
)

// TrustDomain is the domain of all identities of a cluster.
func TrustDomain(clusterID string) string { return clusterID + ".consul" }

// Identity is the service that a leaf certificate is for.
type Identity struct {
	TrustDomain string
	Datacenter  string
	Service     string // its name
}

// URI is the SPIFFE id.
func (i Identity) URI() *url.URL {
	return &url.URL{Scheme: "spiffe", Host: i.TrustDomain, Path: fmt.Sprintf("/ns/default/dc/%s/svc/%s", i.Datacenter, i.Service)}
}

// ParseIdentity reads a SPIFFE id of the form that URI gives; anything else is
// an *IdentityError. The namespace must be the default one: others are of the
// enterprise edition.
func ParseIdentity(uri *url.URL) (Identity, error) {
	m := servicePath.FindStringSubmatch(uri.Path)
	if uri.Scheme != "spiffe" || m == nil {
		return Identity{}, &IdentityError{URI: uri.String()}
	}
	return Identity{TrustDomain: uri.Host, Datacenter: m[1], Service: m[2]}, nil
}

var servicePath = regexp.MustCompile(`^/ns/default/dc/([^/]+)/svc/([^/]+)$`)

// IdentityError says that a URI is no SPIFFE id that certificates are made for.
type IdentityError struct {
	URI string
}

// Error is in the words of Consul.
func (e *IdentityError) Error() string {
	return "SPIFFE ID is not in the expected format: " + e.URI
}
