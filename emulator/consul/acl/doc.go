// Package acl is Consul's access control without its storage: the rule
// language, the decisions that follow from rules, the policies that identities
// and templates stand for, and the texts of denials. The HTTP API of the
// emulator keeps tokens, policies and roles, and asks this package what they allow.
//
// Parse reads the rules of one policy. New combines the rules of all the
// policies of a token into an Authorizer, which answers questions. Everything
// is immutable once made and safe for concurrent use.
//
// How rules combine:
//
//   - For one thing (a resource and a name, exact or prefix) that several
//     policies have rules for, deny beats write beats list beats read.
//   - An exact rule beats every prefix; among prefixes the longest holds.
//   - Where no rule fits, the default policy of the agent decides; only ACL is
//     then denied always.
//   - Mesh and Peering without rules of their own follow Operator.
//   - Intentions follow the service's rule (read or write there is read here)
//     unless it says intentions = "…".
package acl
