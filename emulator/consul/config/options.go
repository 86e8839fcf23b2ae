package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/drydock/drydock/emulator/consul"
)

var (
	validDatacenter = regexp.MustCompile(`^[a-z0-9_-]+$`)
	validMetaKey    = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
)

// options are those of a Consul of one agent, and of one for each other datacenter.
func (s *agentSettings) options() (consul.Options, error) {
	if err := s.validate(); err != nil {
		return consul.Options{}, err
	}
	o := consul.Options{
		CA:             s.Connect.CAConfig,
		WithoutConnect: !s.Connect.Enabled,
		Encrypt:        s.Encrypt,
		ACL: consul.ACL{
			Enabled:           s.ACL.Enabled,
			Allow:             cmp.Or(s.ACL.DefaultPolicy, s.ACLDefaultPolicy, "allow") == "allow",
			InitialManagement: cmp.Or(s.ACL.Tokens.InitialManagement, s.ACL.Tokens.Master),
			Agent:             s.ACL.Tokens.Agent,
			Default:           s.ACL.Tokens.Default,
			KeyList:           s.ACL.EnableKeyListPolicy,
		},
	}
	if !s.Dev {
		o.Dir = s.DataDir
	}
	a, err := s.agent()
	if err != nil {
		return o, err
	}
	o.Datacenters = []consul.Datacenter{{Name: strings.ToLower(s.Datacenter), Agents: []consul.Agent{a}}}
	for _, name := range s.others {
		other, err := s.elsewhere(a, name)
		if err != nil {
			return o, err
		}
		o.Datacenters = append(o.Datacenters, consul.Datacenter{Name: name, Agents: []consul.Agent{other}})
	}
	return o, nil
}

// validate refuses what Consul refuses.
func (s *agentSettings) validate() error {
	switch {
	case s.DataDir == "" && !s.Dev:
		return refusal("data_dir cannot be empty")
	case !validDatacenter.MatchString(strings.ToLower(s.Datacenter)), slices.ContainsFunc(s.others, isNoDatacenter):
		return refusal("datacenter can only contain lowercase alphanumeric, - or _ characters.")
	}
	for key, value := range s.NodeMeta {
		if !validMetaKey.MatchString(key) {
			return fmt.Errorf("node_meta invalid: Couldn't load metadata pair ('%s', '%s'): Key contains invalid characters", key, value)
		}
	}
	return nil
}

func isNoDatacenter(name string) bool { return !validDatacenter.MatchString(name) }

func (s *agentSettings) agent() (consul.Agent, error) {
	a := consul.Agent{
		Node:              s.NodeName,
		Meta:              s.NodeMeta,
		Address:           s.address(),
		Locality:          s.Locality,
		HTTP:              "-",
		Client:            !s.Server,
		ServerPort:        s.Ports.Server,
		SidecarPorts:      consul.PortRange{Min: s.Ports.SidecarMinPort, Max: s.Ports.SidecarMaxPort},
		RetryJoin:         s.RetryJoin,
		RetryJoinWAN:      s.RetryJoinWAN,
		Prometheus:        s.Telemetry.PrometheusRetentionTime > 0,
		ScriptChecks:      s.EnableScriptChecks,
		LocalScriptChecks: s.EnableLocalScriptChecks,
		Debug:             s.EnableDebug || s.Dev,
		Pretty:            s.Dev,
	}
	if a.Node == "" {
		host, err := os.Hostname()
		if err != nil {
			return a, fmt.Errorf("find a name for the node: %w", err)
		}
		a.Node = host
	}
	if s.Ports.HTTP >= 0 || strings.HasPrefix(s.Addresses.HTTP, "unix://") {
		a.HTTP = at(cmp.Or(s.Addresses.HTTP, s.ClientAddr), s.Ports.HTTP)
	}
	if s.Ports.DNS >= 0 {
		a.DNS = at(cmp.Or(s.Addresses.DNS, s.ClientAddr), s.Ports.DNS)
	}
	if s.Ports.SerfLAN > 0 {
		a.SerfLAN = at(s.serfHost(), s.Ports.SerfLAN)
	}
	if s.Ports.SerfWAN > 0 && s.Server {
		a.SerfWAN = at(s.serfHost(), s.Ports.SerfWAN)
	}
	var err error
	if s.Ports.HTTPS >= 0 {
		a.HTTPS = at(cmp.Or(s.Addresses.HTTPS, s.ClientAddr), s.Ports.HTTPS)
		if a.TLS, err = s.tls(); err != nil {
			return a, err
		}
	}
	a.ID, err = s.nodeID("node-id", s.NodeID)
	return a, err
}

// elsewhere is the agent of another datacenter: as the agent is, but with free ports
// and nothing of its own.
func (s *agentSettings) elsewhere(a consul.Agent, datacenter string) (consul.Agent, error) {
	a.Node = datacenter + "-" + a.Node
	a.Locality, a.HTTPS, a.TLS = nil, "", nil
	if a.HTTP != "-" {
		a.HTTP = at(s.ClientAddr, 0)
	}
	if a.DNS != "" {
		a.DNS = at(s.ClientAddr, 0)
	}
	var err error
	a.ID, err = s.nodeID("node-id."+datacenter, "")
	return a, err
}

// at gives each of the hosts, which spaces divide, the port; a socket has none.
func at(hosts string, port int) string {
	var list []string
	for _, host := range strings.Fields(hosts) {
		if !strings.HasPrefix(host, "unix://") {
			host = net.JoinHostPort(host, strconv.Itoa(port))
		}
		list = append(list, host)
	}
	return strings.Join(list, " ")
}

// address is that of the node.
func (s *agentSettings) address() string {
	if s.AdvertiseAddr != "" {
		return s.AdvertiseAddr
	}
	return s.serfHost()
}

// serfHost is where other agents find this one: on this machine, unless an address is given.
func (s *agentSettings) serfHost() string {
	switch s.BindAddr {
	case "", "0.0.0.0", "::", "[::]":
		return "127.0.0.1"
	}
	return s.BindAddr
}

// nodeID is a node's: the one given or, made up once, that of a file in the data folder.
func (s *agentSettings) nodeID(file, given string) (string, error) {
	if given != "" {
		id, err := uuid.Parse(given)
		if err != nil {
			return "", fmt.Errorf("specified NodeID is invalid: %w", err)
		}
		return id.String(), nil
	}
	if s.Dev || s.DataDir == "" {
		return "", nil // the agent makes one up
	}
	file = filepath.Join(s.DataDir, file)
	text, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the node's ID: %w", err)
	}
	id := uuid.NewString()
	if err := os.MkdirAll(s.DataDir, 0o755); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	if err := os.WriteFile(file, []byte(id), 0o600); err != nil {
		return "", fmt.Errorf("keep the node's ID: %w", err)
	}
	return id, nil
}

func (s *agentSettings) definitions() consul.Definitions {
	return consul.Definitions{Services: s.Services, Checks: s.Checks}
}
