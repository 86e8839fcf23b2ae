package config

import "github.com/drydock/drydock/emulator/settings"

// agentSettings are those that have a meaning here, under the names that files have.
type agentSettings struct {
	ACL struct {
		Enabled bool
	}
	Addresses struct {
		HTTP string
	}
	BindAddr   string
	Client     clientSettings
	Consul     consulSettings
	DataDir    string
	Datacenter string

	EnableDebug bool
	LogFile     string
	LogJSON     bool
	LogLevel    string
	Name        string
	Ports       struct {
		HTTP, RPC, Serf int
	}
	Region string
	Server struct {
		Enabled         bool
		BootstrapExpect int
		OIDCIssuer      string
		RetryJoin       []string
		ServerJoin      struct {
			RetryJoin, StartJoin []string
		}
	}
	Telemetry struct {
		PrometheusMetrics bool
	}
	TLS struct {
		HTTP, VerifyHTTPSClient   bool
		CAFile, CertFile, KeyFile string
	}

	dev bool
}

type clientSettings struct {
	Enabled         bool
	NodeClass       string
	NodePool        string
	Meta            map[string]string
	Options         map[string]string
	CPUTotalCompute int64
	MemoryTotalMB   int64
	DiskTotalMB     int64
	Reserved        struct {
		CPU, Memory, Disk int64
		ReservedPorts     string
	}
	HostVolume map[string]struct {
		Path     string
		ReadOnly bool
	}
	HostNetwork map[string]struct {
		CIDR, Interface, ReservedPorts string
	}
}

type consulSettings struct {
	Address string
}

// defaults are the settings that nobody has given, as documented for Nomad.
func defaults(dev bool) settings.Tree {
	all := settings.Tree{
		"bind_addr": "0.0.0.0", "datacenter": "dc1", "region": "global", "log_level": "INFO",
		"ports": settings.Tree{"http": 4646, "rpc": 4647, "serf": 4648},
	}
	if dev {
		all["bind_addr"], all["log_level"] = "127.0.0.1", "DEBUG"
		all["telemetry"] = settings.Tree{"prometheus_metrics": true}
	}
	return all
}

// development sets what an agent in development mode is, whatever the files say.
func (s *agentSettings) development() {
	s.dev, s.Server.Enabled, s.Client.Enabled, s.EnableDebug, s.Telemetry.PrometheusMetrics = true, true, true, true, true
	s.DataDir = ""
}
