package config

import (
	"time"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/consul/state"
)

// agentSettings are those that have a meaning here, under the names that files have.
type agentSettings struct {
	ACL                     aclSettings                `mapstructure:"acl"`
	ACLDatacenter           string                     `mapstructure:"acl_datacenter"`
	ACLDefaultPolicy        string                     `mapstructure:"acl_default_policy"`
	Addresses               addressSettings            `mapstructure:"addresses"`
	AdvertiseAddr           string                     `mapstructure:"advertise_addr"`
	BindAddr                string                     `mapstructure:"bind_addr"`
	CAFile                  string                     `mapstructure:"ca_file"`
	CertFile                string                     `mapstructure:"cert_file"`
	Checks                  []consul.CheckDefinition   `mapstructure:"checks"`
	ClientAddr              string                     `mapstructure:"client_addr"`
	Connect                 connectSettings            `mapstructure:"connect"`
	DataDir                 string                     `mapstructure:"data_dir"`
	Datacenter              string                     `mapstructure:"datacenter"`
	Dev                     bool                       `mapstructure:"dev"`
	EnableDebug             bool                       `mapstructure:"enable_debug"`
	EnableLocalScriptChecks bool                       `mapstructure:"enable_local_script_checks"`
	EnableScriptChecks      bool                       `mapstructure:"enable_script_checks"`
	Encrypt                 string                     `mapstructure:"encrypt"`
	KeyFile                 string                     `mapstructure:"key_file"`
	Locality                *state.Locality            `mapstructure:"locality"`
	LogFile                 string                     `mapstructure:"log_file"`
	LogJSON                 bool                       `mapstructure:"log_json"`
	LogLevel                string                     `mapstructure:"log_level"`
	NodeID                  string                     `mapstructure:"node_id"`
	NodeMeta                map[string]string          `mapstructure:"node_meta"`
	NodeName                string                     `mapstructure:"node_name"`
	PIDFile                 string                     `mapstructure:"pid_file"`
	Ports                   portSettings               `mapstructure:"ports"`
	PrimaryDatacenter       string                     `mapstructure:"primary_datacenter"`
	RetryJoin               []string                   `mapstructure:"retry_join"`
	RetryJoinWAN            []string                   `mapstructure:"retry_join_wan"`
	Server                  bool                       `mapstructure:"server"`
	Services                []consul.ServiceDefinition `mapstructure:"services"`
	Telemetry               telemetrySettings          `mapstructure:"telemetry"`
	TLS                     tlsSettings                `mapstructure:"tls"`
	VerifyIncoming          bool                       `mapstructure:"verify_incoming"`
	VerifyIncomingHTTPS     bool                       `mapstructure:"verify_incoming_https"`

	others []string // the datacenters besides the agent's own, which only the command line names
}

type aclSettings struct {
	DefaultPolicy       string `mapstructure:"default_policy"`
	EnableKeyListPolicy bool   `mapstructure:"enable_key_list_policy"`
	Enabled             bool   `mapstructure:"enabled"`
	Tokens              struct {
		Agent             string `mapstructure:"agent"`
		Default           string `mapstructure:"default"`
		InitialManagement string `mapstructure:"initial_management"`
		Master            string `mapstructure:"master"` // the old name of initial_management
	} `mapstructure:"tokens"`
}

type addressSettings struct {
	DNS   string `mapstructure:"dns"`
	HTTP  string `mapstructure:"http"`
	HTTPS string `mapstructure:"https"`
}

type connectSettings struct {
	CAConfig   map[string]any `mapstructure:"ca_config"`
	CAProvider string         `mapstructure:"ca_provider"`
	Enabled    bool           `mapstructure:"enabled"`
}

type portSettings struct {
	DNS            int `mapstructure:"dns"`
	HTTP           int `mapstructure:"http"`
	HTTPS          int `mapstructure:"https"`
	SerfLAN        int `mapstructure:"serf_lan"`
	SerfWAN        int `mapstructure:"serf_wan"`
	Server         int `mapstructure:"server"`
	SidecarMinPort int `mapstructure:"sidecar_min_port"`
	SidecarMaxPort int `mapstructure:"sidecar_max_port"`
}

type telemetrySettings struct {
	PrometheusRetentionTime time.Duration `mapstructure:"prometheus_retention_time"`
}

type tlsSettings struct {
	Defaults tlsFiles `mapstructure:"defaults"`
	HTTPS    tlsFiles `mapstructure:"https"`
}

type tlsFiles struct {
	CAFile         string `mapstructure:"ca_file"`
	CertFile       string `mapstructure:"cert_file"`
	KeyFile        string `mapstructure:"key_file"`
	VerifyIncoming *bool  `mapstructure:"verify_incoming"`
}

// defaults are the settings that nobody has given, as documented for Consul.
func defaults(dev bool) map[string]any {
	ports := map[string]any{
		"dns": 8600, "http": 8500, "https": -1, "server": 8300,
		"sidecar_min_port": 21000, "sidecar_max_port": 21255,
	}
	all := map[string]any{
		"bind_addr": "0.0.0.0", "client_addr": "127.0.0.1", "datacenter": "dc1", "log_level": "INFO",
		"connect": map[string]any{"enabled": true}, "ports": ports,
	}
	if dev {
		all["dev"], all["server"], all["bind_addr"], all["log_level"] = true, true, "127.0.0.1", "DEBUG"
	}
	return all
}
