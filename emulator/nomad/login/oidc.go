package login

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/hashicorp/nomad/api"
	"golang.org/x/oauth2"

	"github.com/drydock/drydock/emulator/identity"
)

// Method is an auth method of the type OIDC.
type Method struct {
	Name   string
	Config *api.ACLAuthMethodConfig
	// Assert makes the token by which the provider knows who asks; nil when the
	// client's secret does.
	Assert func() (string, error)
}

// withClient is a context in which the provider is spoken to as the method is
// configured; done has to be called at the end.
func (m *Method) withClient(ctx context.Context) (inner context.Context, done func(), err error) {
	client, err := identity.Client(strings.Join(m.Config.DiscoveryCaPem, "\n"))
	if err != nil {
		return nil, nil, fmt.Errorf("failed to generate OIDC provider: %w", err)
	}
	return oidc.ClientContext(ctx, client), client.CloseIdleConnections, nil
}

// provider finds out about the method's provider.
func (m *Method) provider(ctx context.Context) (*oidc.Provider, error) {
	if m.Config.OIDCClientID == "" {
		return nil, errors.New("failed to generate OIDC provider: NewConfig: invalid provider config: Config.Validate: client ID is empty: invalid parameter")
	}
	found, err := oidc.NewProvider(ctx, m.Config.OIDCDiscoveryURL)
	if err != nil {
		return nil, fmt.Errorf("failed to generate OIDC provider: NewProvider: unable to create provider: %w", err)
	}
	return found, nil
}

func (m *Method) oauth(p *oidc.Provider, redirect string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: m.Config.OIDCClientID, ClientSecret: m.Config.OIDCClientSecret, Endpoint: p.Endpoint(),
		RedirectURL: redirect, Scopes: append([]string{oidc.ScopeOpenID}, m.Config.OIDCScopes...),
	}
}

// AuthURL is where somebody logs in who then comes back to redirect. The nonce
// is what the client knows the login by.
func (l *Logins) AuthURL(ctx context.Context, m *Method, redirect, nonce string) (string, error) {
	ctx, done, err := m.withClient(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	p, err := m.provider(ctx)
	if err != nil {
		return "", err
	}
	if allowed := m.Config.AllowedRedirectURIs; len(allowed) > 0 && !slices.Contains(allowed, redirect) {
		return "", fmt.Errorf("failed to generate auth URL: Provider.AuthURL: Provider.validRedirect: redirect URI %s: unauthorized redirect_uri", redirect)
	}
	login := &pending{method: m.Name, state: "st_" + rand.Text(), redirect: redirect}
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce)}
	if m.Config.OIDCEnablePKCE {
		login.verifier = oauth2.GenerateVerifier()
		options = append(options, oauth2.S256ChallengeOption(login.verifier))
	}
	login.url = m.oauth(p, redirect).AuthCodeURL(login.state, options...)
	return l.begin(nonce, login).url, nil
}

// Complete exchanges the code with which somebody has come back, once, for what
// the provider says of them.
func (l *Logins) Complete(ctx context.Context, m *Method, nonce, state, code string) (map[string]any, error) {
	ctx, done, err := m.withClient(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := m.provider(ctx)
	if err != nil {
		return nil, err
	}
	login := l.end(nonce, m.Name)
	if login == nil {
		return nil, errors.New("no OIDC request found for client nonce")
	}
	if login.state != state {
		return nil, failed("authentication request state and authorization state are not equal: invalid parameter")
	}
	token, err := m.exchange(ctx, p, login, code)
	if err != nil {
		return nil, err
	}
	said, subject, err := m.idToken(ctx, p, token, nonce)
	if err != nil {
		return nil, err
	}
	if m.Config.OIDCDisableUserInfo {
		return said, nil
	}
	more, err := userInfo(ctx, p, token, subject)
	if err != nil {
		return nil, fmt.Errorf("failed to retrieve the user info claims: Provider.UserInfo: %w", err)
	}
	maps.Copy(said, more)
	return said, nil
}

func failed(format string, args ...any) error {
	return fmt.Errorf("failed to exchange token with provider: Provider.Exchange: "+format, args...)
}

func (m *Method) exchange(ctx context.Context, p *oidc.Provider, login *pending, code string) (*oauth2.Token, error) {
	options := login.exchange()
	if m.Assert != nil {
		assertion, err := m.Assert()
		if err != nil {
			return nil, err
		}
		options = append(options,
			oauth2.SetAuthURLParam("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
			oauth2.SetAuthURLParam("client_assertion", assertion))
	}
	config := m.oauth(p, login.redirect)
	if m.Assert != nil {
		config.ClientSecret = ""
	}
	token, err := config.Exchange(ctx, code, options...)
	if err != nil {
		return nil, failed("unable to exchange auth code with provider: %w", err)
	}
	return token, nil
}

// idToken checks the ID token that came with the code's, and reads its claims.
func (m *Method) idToken(ctx context.Context, p *oidc.Provider, token *oauth2.Token, nonce string) (claims map[string]any, subject string, err error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, "", failed("id_token is missing from auth code exchange")
	}
	verified, err := p.Verifier(&oidc.Config{
		SkipClientIDCheck: true, SupportedSigningAlgs: m.Config.SigningAlgs,
	}).Verify(ctx, raw)
	if err != nil {
		return nil, "", failed("id_token failed verification: Provider.VerifyIDToken: invalid id_token: %w", err)
	}
	if verified.Nonce != nonce {
		return nil, "", failed("id_token failed verification: Provider.VerifyIDToken: invalid id_token nonce: invalid nonce")
	}
	audiences := m.Config.BoundAudiences
	if len(audiences) == 0 {
		audiences = []string{m.Config.OIDCClientID}
	}
	if !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(verified.Audience, a) }) {
		return nil, "", failed("id_token failed verification: Provider.VerifyIDToken: invalid id_token audiences: verifyAudiences: invalid id_token audiences: invalid audience")
	}
	claims = map[string]any{}
	return claims, verified.Subject, verified.Claims(&claims)
}

func userInfo(ctx context.Context, p *oidc.Provider, token *oauth2.Token, subject string) (map[string]any, error) {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("provider UserInfo request failed: %w", err)
	}
	if info.Subject != subject {
		return nil, errors.New("invalid subject")
	}
	claims := map[string]any{}
	return claims, info.Claims(&claims)
}
