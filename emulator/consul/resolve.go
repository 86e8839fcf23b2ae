package consul

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// callers are those whose tokens have been resolved in a datacenter. They are
// all forgotten when a token, a policy or a role changes.
type callers struct {
	mu       sync.RWMutex
	own      uint64 // the index of access control that they are of
	primary  uint64 // and that of the primary datacenter
	bySecret map[string]known
}

// known is a caller with the token that it has shown.
type known struct {
	caller *caller
	token  *state.Token
}

// find returns the caller with a secret, if it is known at the indexes.
func (c *callers) find(secret string, own, primary uint64) (known, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.own != own || c.primary != primary {
		return known{}, false
	}
	found, ok := c.bySecret[secret]
	return found, ok
}

func (c *callers) keep(secret string, found known, own, primary uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if own < c.own || primary < c.primary {
		return // others know of later changes
	}
	if c.own != own || c.primary != primary || c.bySecret == nil {
		c.own, c.primary, c.bySecret = own, primary, map[string]known{}
	}
	c.bySecret[secret] = found
}

// anybody makes a request where access control is off.
var anybody = &caller{may: acl.Management()}

// resolve finds out who has a token's secret, and what it may do. An empty
// secret is the anonymous token's.
func (d *datacenter) resolve(secret string) (*caller, error) {
	if !d.consul.options.ACL.Enabled {
		return anybody, nil
	}
	if secret == "" {
		secret = state.AnonymousSecretID
	}
	tokens := d.directory(d.store.View().Unwatched())
	primary := tokens.primary.ACLIndex()
	own := primary
	if tokens.own != tokens.primary {
		own = tokens.own.ACLIndex()
	}
	found, ok := d.callers.find(secret, own, primary)
	if !ok {
		if found.token = tokens.tokenOf(secret); found.token == nil {
			return nil, unknownToken(tokens.primary)
		}
		var err error
		if found.caller, err = d.authorize(tokens, found.token); err != nil {
			return nil, err
		}
		d.callers.keep(secret, found, own, primary)
	}
	if found.token.Expired(time.Now()) {
		return nil, unknownToken(tokens.primary)
	}
	return found.caller, nil
}

// unknownToken is the answer to a secret that no token has.
func unknownToken(primary *state.View) error {
	if primary.BootstrapIndex() == 0 {
		return fail(http.StatusForbidden,
			"ACL system must be bootstrapped before making any requests that require authorization: "+aclNotFound)
	}
	return fail(http.StatusForbidden, aclNotFound)
}

// authorize finds out what a token allows in the datacenter.
func (d *datacenter) authorize(tokens directory, token *state.Token) (*caller, error) {
	policies, _ := tokens.expand(token)
	if len(policies) == 1 && policies[0].ID == state.ManagementPolicyID {
		return &caller{token.AccessorID, acl.Management()}, nil
	}
	var rules []*acl.Rules
	for _, policy := range policies {
		if len(policy.Datacenters) > 0 && !slices.Contains(policy.Datacenters, d.name) {
			continue
		}
		parsed, err := acl.Parse(policy.Rules)
		if err != nil {
			return nil, fmt.Errorf("read the rules of policy %s: %w", policy.Name, err)
		}
		rules = append(rules, parsed)
	}
	return &caller{token.AccessorID, acl.New(d.consul.options.ACL.Allow, rules...)}, nil
}
