package consul

import (
	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/state"
)

// Definitions are services and checks that an agent has by its configuration.
type Definitions struct {
	Services []ServiceDefinition
	Checks   []CheckDefinition
}

// ServiceDefinition is a service instance as an agent's API and configuration
// take it.
type ServiceDefinition struct {
	Kind              api.ServiceKind
	ID                string // default: the name
	Name              string
	Tags              []string
	Port              int
	Ports             api.ServicePorts
	Address           string
	SocketPath        string
	TaggedAddresses   map[string]api.ServiceAddress
	EnableTagOverride bool
	Meta              map[string]string
	Weights           *api.AgentWeights
	Check             *CheckDefinition
	Checks            []*CheckDefinition
	Proxy             *api.AgentServiceConnectProxyConfig
	Connect           *ConnectDefinition
	Locality          *state.Locality
	Token             string // accepted: what is registered is in the catalog at once, with the caller's token
}

// ConnectDefinition says how an instance takes part in the mesh.
type ConnectDefinition struct {
	Native         bool
	SidecarService *ServiceDefinition // registered with it, and removed with it
}

// CheckDefinition is a health check as an agent's API and configuration take
// it. Durations are texts such as "10s".
type CheckDefinition struct {
	ID                             string
	CheckID                        string // the same; ID is preferred
	Name                           string
	Notes                          string
	ServiceID                      string // that the check is of; of the node when empty
	Status                         string // to begin with
	Args                           []string
	ScriptArgs                     []string // the same
	DockerContainerID              string
	Shell                          string
	Interval                       state.Duration
	Timeout                        state.Duration
	TTL                            state.Duration
	HTTP                           string
	Header                         map[string][]string
	Method                         string
	Body                           string
	DisableRedirects               bool
	TCP                            string
	TCPUseTLS                      bool
	UDP                            string
	TLSServerName                  string
	TLSSkipVerify                  bool
	GRPC                           string
	GRPCUseTLS                     bool
	H2PING                         string
	H2PingUseTLS                   *bool // default true
	OSService                      string
	AliasNode                      string
	AliasService                   string
	SuccessBeforePassing           int
	FailuresBeforeWarning          int
	FailuresBeforeCritical         int
	DeregisterCriticalServiceAfter state.Duration
	OutputMaxSize                  int
	Token                          string // accepted, as that of a service is
}
