package consul

import (
	"net/http"
	"sync"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// agentTokens are the tokens that an agent uses itself, by what for. Its
// methods may be called from any goroutine.
type agentTokens struct {
	mu      sync.Mutex
	secrets map[string]string
}

// Purposes of an agent's tokens.
const (
	tokenDefault      = "default" // of requests without a token
	tokenAgent        = "agent"
	tokenRecovery     = "agent_recovery"
	tokenReplication  = "replication"
	tokenRegistration = "config_file_service_registration"
	tokenDNS          = "dns"
)

// tokenPurpose is the purpose that a name of the API stands for; empty when none does.
func tokenPurpose(name string) string {
	switch name {
	case "default", "acl_token":
		return tokenDefault
	case "agent", "acl_agent_token":
		return tokenAgent
	case "agent_recovery", "agent_master", "acl_agent_master_token":
		return tokenRecovery
	case "replication", "acl_replication_token":
		return tokenReplication
	case tokenRegistration, tokenDNS:
		return name
	}
	return ""
}

func (t *agentTokens) get(purpose string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.secrets[purpose]
}

func (t *agentTokens) set(purpose, secret string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.secrets == nil {
		t.secrets = map[string]string{}
	}
	t.secrets[purpose] = secret
}

func setAgentToken(r *request) (any, error) {
	if !r.agent.dc.consul.options.ACL.Enabled {
		return nil, fail(http.StatusUnauthorized, "ACL support disabled")
	}
	if err := r.need(acl.Write, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	var body struct{ Token string }
	if err := r.decodeStrictly(&body); err != nil {
		return nil, err
	}
	name := r.PathValue("token")
	purpose := tokenPurpose(name)
	if purpose == "" {
		return nil, notFound("Token %q is unknown", name)
	}
	r.agent.tokens.set(purpose, body.Token)
	return nil, nil
}
