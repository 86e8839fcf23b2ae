package checks

import (
	"time"

	"github.com/hashicorp/consul/api"
)

// Limits and defaults of a Consul agent.
const (
	// MinInterval is the shortest time between two probes; shorter intervals are raised to it.
	MinInterval = time.Second
	// MaxOutputSize is how many bytes of what a service or script says are kept at most, and by default.
	MaxOutputSize = 4096

	defaultTimeout       = 10 * time.Second
	defaultScriptTimeout = 30 * time.Second
)

// Types of check, as Consul's API names them.
const (
	TypeAlias     = "alias"
	TypeDocker    = "docker"
	TypeGRPC      = "grpc"
	TypeH2Ping    = "h2ping"
	TypeHTTP      = "http"
	TypeOSService = "os_service"
	TypeScript    = "script"
	TypeTCP       = "tcp"
	TypeTTL       = "ttl"
	TypeUDP       = "udp"
)

// Definition says what a check asks, and when. Its fields are those of api.AgentServiceCheck, with durations parsed.
// Consul takes a definition that sets several targets, and asks the first of them in the order of Type.
type Definition struct {
	// Eager has a check that has not passed yet probed often, and at once.
	Eager bool `json:"-"`

	HTTP             string // a URL
	Method           string // GET when empty
	Header           map[string][]string
	Body             string
	DisableRedirects bool

	TCP       string // host:port
	TCPUseTLS bool

	UDP string // host:port

	GRPC       string // host:port, or host:port/service to ask for one service of the server
	GRPCUseTLS bool

	H2PING       string // host:port
	H2PingUseTLS bool   // Consul's API takes it as true when it is not given

	// For every type that speaks TLS.
	TLSServerName string // the target's host when empty
	TLSSkipVerify bool

	ScriptArgs        []string // the program and its arguments
	DockerContainerID string   // run ScriptArgs in this container
	Shell             string   // for a container only

	OSService string

	TTL time.Duration

	AliasNode    string // a node's name; the agent's own when empty
	AliasService string // a service's ID; the node itself when empty

	Interval time.Duration // from the end of a probe to the next
	Timeout  time.Duration // of one probe; 10 seconds, for scripts 30, unless it is more than zero

	// Status is what the check has until its first result; critical when empty.
	Status string

	// SuccessBeforePassing is how many results in a row that are not critical make the check passing (or warning, if the
	// last of them is); less than one counts as one.
	SuccessBeforePassing int
	// FailuresBeforeWarning and FailuresBeforeCritical are how many critical results in a row make the check warning and
	// critical. A zero FailuresBeforeWarning is as many as FailuresBeforeCritical; less than one counts as one.
	FailuresBeforeWarning  int
	FailuresBeforeCritical int

	OutputMaxSize int // in bytes; MaxOutputSize when it is zero or more than that
}

// Type is the kind of check that the definition makes.
func (d Definition) Type() string {
	switch {
	case d.isAlias():
		return TypeAlias
	case d.HTTP != "":
		return TypeHTTP
	case d.TCP != "":
		return TypeTCP
	case d.UDP != "":
		return TypeUDP
	case d.GRPC != "":
		return TypeGRPC
	case d.DockerContainerID != "" && len(d.ScriptArgs) > 0:
		return TypeDocker
	case d.OSService != "":
		return TypeOSService
	case len(d.ScriptArgs) > 0:
		return TypeScript
	case d.H2PING != "":
		return TypeH2Ping
	}
	return TypeTTL
}

// IsScript reports whether the check runs a program, which an agent does only where its configuration allows it.
func (d Definition) IsScript() bool { return len(d.ScriptArgs) > 0 }

func (d Definition) isAlias() bool { return d.AliasNode != "" || d.AliasService != "" }

// InitialStatus is the status that the check has until its first result.
func (d Definition) InitialStatus() string {
	if d.Status == "" {
		return api.HealthCritical
	}
	return d.Status
}

func (d Definition) pollInterval() time.Duration { return max(d.Interval, MinInterval) }

func (d Definition) probeTimeout() time.Duration {
	switch {
	case d.Timeout > 0:
		return d.Timeout
	case d.Type() == TypeScript:
		return defaultScriptTimeout
	}
	return defaultTimeout
}

func (d Definition) outputLimit() int {
	if d.OutputMaxSize <= 0 {
		return MaxOutputSize
	}
	return min(d.OutputMaxSize, MaxOutputSize)
}
