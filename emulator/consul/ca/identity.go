package ca

import (
	"fmt"
	"net/url"
	"regexp"
)

// TrustDomain is the domain of all identities of a cluster.
func TrustDomain(clusterID string) string { return clusterID + ".consul" }

// Identity is whom a leaf certificate is for. Exactly one of Service, Agent and
// Kind is set. Make it with ServiceIdentity, AgentIdentity, MeshGatewayIdentity
// or ParseIdentity.
type Identity struct {
	TrustDomain string
	Datacenter  string
	Service     string // name of the service
	Agent       string // name of the agent's node
	Kind        string // mesh-gateway
}

// meshGateway is the Kind of a mesh gateway.
const meshGateway = "mesh-gateway"

// ServiceIdentity is that of a service.
func ServiceIdentity(trustDomain, datacenter, service string) Identity {
	return Identity{TrustDomain: trustDomain, Datacenter: datacenter, Service: service}
}

// AgentIdentity is that of a client agent.
func AgentIdentity(trustDomain, datacenter, node string) Identity {
	return Identity{TrustDomain: trustDomain, Datacenter: datacenter, Agent: node}
}

// MeshGatewayIdentity is that of all the mesh gateways of a datacenter.
func MeshGatewayIdentity(trustDomain, datacenter string) Identity {
	return Identity{TrustDomain: trustDomain, Datacenter: datacenter, Kind: meshGateway}
}

// URI is the SPIFFE id.
func (i Identity) URI() *url.URL {
	uri := &url.URL{Scheme: "spiffe", Host: i.TrustDomain}
	switch {
	case i.Kind == meshGateway:
		uri.Path = "/gateway/mesh/dc/" + i.Datacenter
	case i.Agent != "":
		uri.Path = fmt.Sprintf("/agent/client/dc/%s/id/%s", i.Datacenter, i.Agent)
	default:
		uri.Path = fmt.Sprintf("/ns/default/dc/%s/svc/%s", i.Datacenter, i.Service)
	}
	return uri
}

// ParseIdentity reads a SPIFFE id of any of the forms that URI gives. The
// namespace must be the default one: others are of the enterprise edition.
func ParseIdentity(uri *url.URL) (Identity, error) {
	identity := Identity{TrustDomain: uri.Host}
	if uri.Scheme != "spiffe" {
		return Identity{}, &IdentityError{URI: uri.String()}
	}
	if m := servicePath.FindStringSubmatch(uri.Path); m != nil {
		identity.Datacenter, identity.Service = m[1], m[2]
		return identity, nil
	}
	if m := agentPath.FindStringSubmatch(uri.Path); m != nil {
		identity.Datacenter, identity.Agent = m[1], m[2]
		return identity, nil
	}
	if m := gatewayPath.FindStringSubmatch(uri.Path); m != nil {
		identity.Datacenter, identity.Kind = m[1], meshGateway
		return identity, nil
	}
	return Identity{}, &IdentityError{URI: uri.String()}
}

var (
	servicePath = regexp.MustCompile(`^/ns/default/dc/([^/]+)/svc/([^/]+)$`)
	agentPath   = regexp.MustCompile(`^/agent/client/dc/([^/]+)/id/([^/]+)$`)
	gatewayPath = regexp.MustCompile(`^/gateway/mesh/dc/([^/]+)$`)
)

// IdentityError says that a URI is no SPIFFE id that certificates are made for.
type IdentityError struct {
	URI string
}

// Error is in the words of Consul.
func (e *IdentityError) Error() string {
	return "SPIFFE ID is not in the expected format: " + e.URI
}
