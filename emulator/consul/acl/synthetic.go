package acl

import (
	"encoding/hex"
	"hash/fnv"
	"io"

	"golang.org/x/crypto/blake2b"
)

// SyntheticPolicy is a policy that nobody wrote: what a service identity, a
// node identity or a templated policy stands for. Its fields are those that the
// API shows of a policy.
type SyntheticPolicy struct {
	ID          string
	Name        string
	Description string
	Rules       string
	Datacenters []string // where it holds; empty is everywhere
	Hash        []byte
}

// synthesize makes the policy that a template stands for. As in Consul its ID
// is the rules themselves with an empty checksum after them, in hexadecimal.
func synthesize(template, rules string, datacenters []string) SyntheticPolicy {
	id := hex.EncodeToString(fnv.New128a().Sum([]byte(rules)))
	p := SyntheticPolicy{
		ID:          id,
		Name:        "synthetic-policy-" + id,
		Description: "synthetic policy generated from templated policy: " + template,
		Rules:       rules,
		Datacenters: datacenters,
	}
	p.Hash = PolicyHash(p.Name, p.Description, p.Rules, p.Datacenters)
	return p
}

// PolicyHash is the hash that the API shows of any policy: BLAKE2b-256 over
// what people can change of it.
func PolicyHash(name, description, rules string, datacenters []string) []byte {
	hash, err := blake2b.New256(nil)
	if err != nil {
		panic(err) // only a key can be wrong, and there is none
	}
	for _, part := range append([]string{name, description, rules}, datacenters...) {
		_, _ = io.WriteString(hash, part) // a hash takes every write
	}
	return hash.Sum(nil)
}

// ServiceIdentity is the policy that makes a token a service: to register it
// and its sidecar proxy, and to discover others. It holds in the given
// datacenters, or in all if there are none.
func ServiceIdentity(service string, datacenters []string) SyntheticPolicy {
	return synthesize(ServiceTemplate, serviceTemplate().rules(service), datacenters)
}

// NodeIdentity is the policy that makes a token a node of one datacenter: to
// register it, and to discover services.
func NodeIdentity(node, datacenter string) SyntheticPolicy {
	return synthesize(NodeTemplate, nodeTemplate().rules(node), []string{datacenter})
}

// ValidIdentityName reports whether a service or node identity may have the
// name: up to 256 lowercase letters, digits, hyphens and underscores, of which
// the first and the last are letters or digits.
func ValidIdentityName(name string) bool {
	const longest = 256
	if name == "" || len(name) > longest {
		return false
	}
	for i := range len(name) {
		inside := i > 0 && i < len(name)-1
		if !alphanumeric(name[i]) && !(inside && (name[i] == '-' || name[i] == '_')) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
