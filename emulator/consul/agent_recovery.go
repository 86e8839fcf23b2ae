package consul

import (
	"fmt"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// recovers tells whether a secret is that of the agent's recovery token, with
// which its operator gets at it when access control itself cannot be used.
func (a *agent) recovers(secret string) bool {
	return secret != "" && secret == a.tokens.get(tokenRecovery) && a.dc.consul.options.ACL.Enabled
}

// recoverer is who shows the recovery token: it may look at the nodes and do
// anything with the agent, and nothing else.
func (a *agent) recoverer() (*caller, error) {
	rules, err := acl.Parse(fmt.Sprintf(`agent %q { policy = "write" } node_prefix "" { policy = "read" }`, a.options.Node))
	if err != nil {
		return nil, fmt.Errorf("the rules of the recovery token: %w", err)
	}
	return &caller{"agent-recovery:" + a.options.Node, acl.New(a.dc.consul.options.ACL.Allow, rules)}, nil
}
