package nomad

import (
	"strings"
	"sync"
	"time"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/keyring"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// nodeIdentities are what nodes prove themselves with: the claims by the
// node's ID. The zero value has none; it may be used from any goroutine.
type nodeIdentities struct {
	mu     sync.Mutex
	claims map[string]keyring.Claims
}

// of is a node's identity, made when it is first asked for, and anew when renewed.
func (i *nodeIdentities) of(r *region, node *state.Node, renewed bool) keyring.Claims {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.claims == nil {
		i.claims = map[string]keyring.Claims{}
	}
	claims, known := i.claims[node.ID]
	if !known || renewed || claims.Expiry.Time().Before(time.Now()) {
		claims = r.nodeClaims(node)
		i.claims[node.ID] = claims
	}
	return claims
}

func (r *region) nodeClaims(node *state.Node) keyring.Claims {
	ttl := nodeIdentityTTL
	if pool := r.store.View().NodePool(node.NodePool); pool != nil && pool.NodeIdentityTTL > 0 {
		ttl = pool.NodeIdentityTTL
	}
	subject := strings.Join([]string{"node", r.options.Name, node.NodePool, node.ID, defaultIdentity}, ":")
	claims := keyring.NewClaims(subject, nil, time.Now(), ttl)
	claims.Issuer = r.options.OIDCIssuer
	claims.Node, claims.NodePool, claims.NodeDatacenter, claims.NodeClass = node.ID, node.NodePool, node.Datacenter, node.NodeClass
	return claims
}

func (r *request) nodeIdentity() (any, error) {
	if err := r.need(acl.Read, acl.Node); err != nil {
		return nil, err
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	node := r.region.store.View().Node(c.Node().ID)
	return map[string]any{"Claims": r.region.identities.of(r.region, node, false)}, nil
}

func (r *request) renewNodeIdentity() (any, error) {
	if err := r.need(acl.Write, acl.Node); err != nil {
		return nil, err
	}
	var asked struct{ NodeID string }
	if err := r.decode(&asked); err != nil {
		return nil, err
	}
	if asked.NodeID != "" {
		r.query.Set("node_id", asked.NodeID)
	}
	c, err := r.nodeAsked()
	if err != nil {
		return nil, err
	}
	r.region.identities.of(r.region, r.region.store.View().Node(c.Node().ID), true)
	return struct{}{}, nil
}
