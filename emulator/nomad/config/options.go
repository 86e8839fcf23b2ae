package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad"
)

// options are those of a Nomad of one region.
func (s *agentSettings) options() (nomad.Options, error) {
	if err := s.validate(); err != nil {
		return nomad.Options{}, err
	}
	name := s.Name
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nomad.Options{}, fmt.Errorf("find a name for the agent: %w", err)
		}
		name = host
	}
	region := nomad.Region{
		Name: s.Region, Datacenter: s.Datacenter, Server: name, HTTP: s.httpAddress(),
		RPCPort: s.Ports.RPC, SerfPort: s.Ports.Serf,
		Serf:       net.JoinHostPort(s.host(), strconv.Itoa(s.Ports.Serf)),
		RetryJoin:  append(append(s.Server.RetryJoin, s.Server.ServerJoin.RetryJoin...), s.Server.ServerJoin.StartJoin...),
		OIDCIssuer: s.Server.OIDCIssuer,
		Prometheus: s.Telemetry.PrometheusMetrics,
	}
	var err error
	if s.TLS.HTTP {
		if region.TLS, err = s.tls(); err != nil {
			return nomad.Options{}, err
		}
	}
	if s.Client.Enabled {
		region.Nodes = []nomad.Node{s.node(name)}
	}
	return nomad.Options{
		Regions: []nomad.Region{region}, Dir: s.DataDir, ACL: s.ACL.Enabled, Debug: s.EnableDebug, Consul: s.consulAddress(),
	}, nil
}

// validate refuses what Nomad refuses.
func (s *agentSettings) validate() error {
	switch {
	case !s.Server.Enabled && !s.Client.Enabled:
		return refusal("Must specify either server, client or dev mode for the agent.")
	case s.DataDir == "" && !s.dev:
		return refusal("Must specify \"data_dir\" config option or \"data-dir\" CLI flag")
	case strings.ContainsAny(s.Region, "\000"), strings.ContainsAny(s.Datacenter, "\000*"):
		return refusal("Region and datacenter names must have no null byte and no wildcard")
	}
	return nil
}

func (s *agentSettings) node(name string) nomad.Node {
	c := s.Client
	n := nomad.Node{
		Name: name, Datacenter: s.Datacenter, Pool: c.NodePool, Class: c.NodeClass, Meta: c.Meta, Options: c.Options,
		Address: s.host(), CPU: c.CPUTotalCompute, Memory: c.MemoryTotalMB, Disk: c.DiskTotalMB,
		HostVolumes: map[string]*api.HostVolumeInfo{}, HostNetworks: map[string]*api.HostNetworkInfo{},
	}
	for name, volume := range c.HostVolume {
		n.HostVolumes[name] = &api.HostVolumeInfo{Path: volume.Path, ReadOnly: volume.ReadOnly}
	}
	for name, network := range c.HostNetwork {
		n.HostNetworks[name] = &api.HostNetworkInfo{
			Name: name, CIDR: network.CIDR, Interface: network.Interface, ReservedPorts: network.ReservedPorts,
		}
	}
	reserved := c.Reserved
	if reserved.CPU+reserved.Memory+reserved.Disk > 0 || reserved.ReservedPorts != "" {
		n.Reserved = &api.NodeReservedResources{
			Cpu:      api.NodeReservedCpuResources{CpuShares: uint64(reserved.CPU)},
			Memory:   api.NodeReservedMemoryResources{MemoryMB: uint64(reserved.Memory)},
			Disk:     api.NodeReservedDiskResources{DiskMB: uint64(reserved.Disk)},
			Networks: api.NodeReservedNetworkResources{ReservedHostPorts: reserved.ReservedPorts},
		}
	}
	return n
}

// httpAddress is what the API listens on.
func (s *agentSettings) httpAddress() string {
	host := s.BindAddr
	if s.Addresses.HTTP != "" {
		host = s.Addresses.HTTP
	}
	return net.JoinHostPort(host, strconv.Itoa(s.Ports.HTTP))
}

// host is where others find the agent: on this machine, unless an address is given.
func (s *agentSettings) host() string {
	switch s.BindAddr {
	case "", "0.0.0.0", "::", "[::]":
		return "127.0.0.1"
	}
	return s.BindAddr
}

func (s *agentSettings) consulAddress() string {
	if s.Consul.Address == "" || strings.Contains(s.Consul.Address, "://") {
		return s.Consul.Address
	}
	return "http://" + s.Consul.Address
}

// tls is the configuration of the HTTPS API.
func (s *agentSettings) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(s.TLS.CertFile, s.TLS.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("configure TLS: load the certificate and its key: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if s.TLS.CAFile != "" {
		text, err := os.ReadFile(s.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("configure TLS: read the CA: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("configure TLS: %s holds no certificate", s.TLS.CAFile)
		}
	}
	if s.TLS.VerifyHTTPSClient {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}
