package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"time"
)

// fetchWait bounds how long an issuer may take to answer.
const fetchWait = 10 * time.Second

// Client makes an HTTP client for an issuer, which trusts the certificates in
// PEM; with none, those that the system trusts. Whoever uses it closes its idle
// connections.
func Client(certificates string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if certificates != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(certificates)) {
			return nil, errors.New("could not parse CA PEM value successfully")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: transport, Timeout: fetchWait}, nil
}
