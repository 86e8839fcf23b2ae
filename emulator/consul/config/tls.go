package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// tls is the configuration of the HTTPS API. Without a certificate it refuses
// every client, as Consul does.
func (s *agentSettings) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	certificate := cmp.Or(s.TLS.HTTPS.CertFile, s.TLS.Defaults.CertFile, s.CertFile)
	key := cmp.Or(s.TLS.HTTPS.KeyFile, s.TLS.Defaults.KeyFile, s.KeyFile)
	authority := cmp.Or(s.TLS.HTTPS.CAFile, s.TLS.Defaults.CAFile, s.CAFile)
	if certificate != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, fmt.Errorf("configure TLS: load the certificate and its key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if authority != "" {
		text, err := os.ReadFile(authority)
		if err != nil {
			return nil, fmt.Errorf("configure TLS: read the CA: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("configure TLS: %s holds no certificate", authority)
		}
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	if s.verifiesClients() {
		if c.ClientCAs == nil {
			return nil, errors.New("configure TLS: verify_incoming is set but there is no ca_file")
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

func (s *agentSettings) verifiesClients() bool {
	for _, says := range []*bool{s.TLS.HTTPS.VerifyIncoming, s.TLS.Defaults.VerifyIncoming} {
		if says != nil {
			return *says
		}
	}
	return s.VerifyIncoming || s.VerifyIncomingHTTPS
}
