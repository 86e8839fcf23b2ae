package login

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/drydock/drydock/emulator/identity"
)

// fetchedKeys are fetched from a URL whenever a token is checked.
type fetchedKeys struct {
	url    string
	client *http.Client
}

func newFetchedKeys(c jwtConfig) (*fetchedKeys, error) {
	client, err := identity.Client(c.JWKSCACert)
	if err != nil {
		return nil, fmt.Errorf("error checking JWKSCACert: %w", err)
	}
	return &fetchedKeys{c.JWKSURL, client}, nil
}

func (k *fetchedKeys) probe(ctx context.Context) error {
	defer k.client.CloseIdleConnections()
	if err := k.fetch(ctx); err != nil {
		return fmt.Errorf("error checking JWKSURL: fetching keys oidc: %w", err)
	}
	return nil
}

func (k *fetchedKeys) fetch(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return err
	}
	answer, err := k.client.Do(request)
	if err != nil {
		return fmt.Errorf("get keys failed %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("unable to read response body: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("get keys failed: %s %s", answer.Status, body)
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(body, &keys); err != nil {
		return fmt.Errorf("failed to decode keys: %w %s", err, body)
	}
	return nil
}

func (*fetchedKeys) checksTime() bool { return false }

func (k *fetchedKeys) claims(ctx context.Context, token string) (map[string]any, error) {
	defer k.client.CloseIdleConnections()
	ctx = oidc.ClientContext(ctx, k.client)
	payload, err := oidc.NewRemoteKeySet(ctx, k.url).VerifySignature(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("error verifying token: %w", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, fmt.Errorf("error unmarshaling claims: %w", err)
	}
	return claims, nil
}

// discoveredKeys are those of an OIDC provider, which is asked for them
// whenever a token is checked.
type discoveredKeys struct {
	issuer string
	client *http.Client
	algs   []string
}

func newDiscoveredKeys(c jwtConfig) (*discoveredKeys, error) {
	client, err := identity.Client(c.OIDCDiscoveryCACert)
	if err != nil {
		return nil, fmt.Errorf("error checking OIDCDiscoveryCACert: %w", err)
	}
	return &discoveredKeys{c.OIDCDiscoveryURL, client, c.JWTSupportedAlgs}, nil
}

func (k *discoveredKeys) probe(ctx context.Context) error {
	defer k.client.CloseIdleConnections()
	if _, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer); err != nil {
		return fmt.Errorf("error checking OIDCDiscoveryURL: %w", err)
	}
	return nil
}

func (*discoveredKeys) checksTime() bool { return true }

func (k *discoveredKeys) claims(ctx context.Context, token string) (map[string]any, error) {
	defer k.client.CloseIdleConnections()
	ctx = oidc.ClientContext(ctx, k.client)
	provider, err := oidc.NewProvider(ctx, k.issuer)
	if err != nil {
		return nil, fmt.Errorf("error creating provider with given values: %w", err)
	}
	verified, err := provider.VerifierContext(ctx, &oidc.Config{
		SkipClientIDCheck:    true,
		SupportedSigningAlgs: k.algs,
	}).Verify(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("error validating signature: %w", err)
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return nil, fmt.Errorf("unable to successfully parse all claims from token: %w", err)
	}
	return claims, nil
}
