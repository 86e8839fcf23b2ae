package nomad

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAuthMethods(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	list, meta, err := root.ACLAuthMethods().List(nil)
	require.NoError(t, err)
	assert.Empty(t, list)
	assert.NotZero(t, meta.LastIndex)
	method := &api.ACLAuthMethod{
		Name: "m", Type: "OIDC", TokenLocality: "local", MaxTokenTTL: 15 * time.Minute, Default: true,
		Config: &api.ACLAuthMethodConfig{OIDCDiscoveryURL: "https://example.com", OIDCClientID: "c", OIDCClientSecret: "most secret", BoundAudiences: []string{"a"}},
	}
	made, _, err := root.ACLAuthMethods().Create(method, nil)
	require.NoError(t, err)
	assert.Equal(t, "${auth_method_type}-${auth_method_name}", made.TokenNameFormat)
	assert.Equal(t, "redacted", made.Config.OIDCClientSecret)
	info, _, err := root.ACLAuthMethods().Get("m", nil)
	require.NoError(t, err)
	assert.Equal(t, made, info)
	made.TokenLocality = "global"
	changed, _, err := root.ACLAuthMethods().Update(made, nil)
	require.NoError(t, err)
	assert.Equal(t, "global", changed.TokenLocality)
	assert.Equal(t, made.CreateTime, changed.CreateTime)
	kept := n.regions[0].store.View().ACLAuthMethod("m")
	assert.Equal(t, "most secret", kept.Config.OIDCClientSecret, "what is not told comes back unchanged")
	list, _, err = connect(t, n).ACLAuthMethods().List(nil)
	require.NoError(t, err)
	require.Len(t, list, 1, "everybody sees how to log in")
	assert.True(t, list[0].Default)
	_, err = root.ACLAuthMethods().Delete("m", nil)
	require.NoError(t, err)
}

func TestAuthMethodsThatAreRefused(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	oidc := func(change func(map[string]any)) map[string]any {
		m := map[string]any{
			"Name": "m", "Type": "OIDC", "TokenLocality": "local", "MaxTokenTTL": "1h",
			"Config": map[string]any{"OIDCDiscoveryURL": "https://example.com", "OIDCClientID": "c"},
		}
		change(m)
		return m
	}
	config := func(key string, value any) map[string]any {
		return oidc(func(m map[string]any) { m["Config"].(map[string]any)[key] = value })
	}
	set := func(key string, value any) map[string]any { return oidc(func(m map[string]any) { m[key] = value }) }
	const path = "/v1/acl/auth-method"
	invalid := func(problem string) string {
		return "auth method 0 invalid: 1 error occurred:\n\t* " + problem + "\n\n"
	}
	for _, r := range []refusal{
		{http.MethodPut, path, map[string]any{}, 400, "auth method 0 invalid: 5 errors occurred:\n\t* invalid name ''\n\t* invalid token locality ''\n\t* invalid token type ''\n\t* invalid config: missing auth method Config\n\t* invalid MaxTokenTTL value '0s' (should be between 1m0s and 24h0m0s)\n\n"},
		{http.MethodPut, path, set("Name", "m m"), 400, invalid("invalid name 'm m'")},
		{http.MethodPut, path, set("Type", "oidc"), 400, invalid("invalid token type 'oidc'")},
		{http.MethodPut, path, set("MaxTokenTTL", "48h"), 400, invalid("invalid MaxTokenTTL value '48h0m0s' (should be between 1m0s and 24h0m0s)")},
		{http.MethodPut, path, set("MaxTokenTTL", "x"), 400, `time: invalid duration "x"`},
		{http.MethodPut, path, config("OIDCDiscoveryURL", ""), 400, invalid("invalid config: missing OIDCDiscoveryURL")},
		{http.MethodPut, path, config("OIDCClientID", ""), 400, invalid("invalid config: missing OIDCClientID")},
		{http.MethodPut, path, config("OIDCClientAssertion", map[string]any{}), 400, invalid(`invalid config: invalid client assertion config: invalid KeySource ""`)},
		{http.MethodPut, path, config("OIDCClientAssertion", map[string]any{"KeySource": "client_secret"}), 400, invalid("invalid config: invalid client assertion config: OIDCClientSecret is required for `client_secret` KeySource")},
		{http.MethodPut, path, config("OIDCClientAssertion", map[string]any{"KeySource": "private_key"}), 400, invalid("invalid config: invalid client assertion config: PrivateKey is required for `private_key` KeySource")},
		{http.MethodPut, path, config("OIDCClientAssertion", map[string]any{"KeySource": "private_key", "PrivateKey": map[string]any{}}), 400, invalid("invalid config: invalid client assertion config: invalid PrivateKey: missing PemKey or PemKeyFile")},
		{http.MethodPut, path, config("OIDCClientAssertion", map[string]any{"KeySource": "private_key", "PrivateKey": map[string]any{"PemKey": "x", "KeyID": "k"}}), 400,
			"invalid OIDCClientAssertion: failed to build client_assertion jwt: error parsing PemKey: invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key"},
		{http.MethodPut, path, nil, 400, "Request body is empty"},
		{http.MethodPut, path + "/x", set("Name", "y"), 400, "ACL auth-method name does not match request path"},
		{http.MethodGet, path + "/nope", nil, 404, "ACL auth-method not found"},
		{http.MethodGet, path + "/", nil, 400, "missing ACL auth-method name"},
		{http.MethodDelete, path + "/nope", nil, 500, "ACL auth method not found"},
	} {
		r.check(t, n, rootSecret)
	}
	jwtMethod := oidc(func(m map[string]any) { m["Type"], m["Config"] = "JWT", map[string]any{} })
	refusal{http.MethodPut, path, jwtMethod, 400, invalid("invalid config: JWT auth method requires either OIDCDiscoveryURL, or JWKS URL, or JWTValidationPubKeys set")}.check(t, n, rootSecret)
	for _, name := range []string{"first", "second"} {
		status, text := ask(t, n, rootSecret, http.MethodPut, path, oidc(func(m map[string]any) { m["Name"], m["Default"] = name, true }))
		if name == "first" {
			require.Equal(t, 200, status, text)
		} else {
			assert.Equal(t, "default method already exists: first", text)
		}
	}
	secret := holding(t, root, `node { policy = "write" }`)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		refusal{method, path + "/first", nil, 403, "Permission denied"}.check(t, n, secret)
	}
	refusal{http.MethodPut, path, set("Name", "x"), 403, "Permission denied"}.check(t, n, secret)
}

func TestBindingRules(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	_, _, err := root.ACLAuthMethods().Create(&api.ACLAuthMethod{
		Name: "m", Type: "JWT", TokenLocality: "local", MaxTokenTTL: time.Hour, Config: &api.ACLAuthMethodConfig{JWKSURL: "http://example.com"},
	}, nil)
	require.NoError(t, err)
	rule := &api.ACLBindingRule{AuthMethod: "m", Selector: "a in list.b", BindType: "role", BindName: "x", Description: "d"}
	made, _, err := root.ACLBindingRules().Create(rule, nil)
	require.NoError(t, err)
	assert.NotEmpty(t, made.ID)
	info, _, err := root.ACLBindingRules().Get(made.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, made, info)
	changed, _, err := root.ACLBindingRules().Update(&api.ACLBindingRule{ID: made.ID, BindName: "y", Selector: made.Selector}, nil)
	require.NoError(t, err)
	assert.Equal(t, "y", changed.BindName)
	assert.Equal(t, "role", changed.BindType)
	list, _, err := root.ACLBindingRules().List(nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	const path = "/v1/acl/binding-rule"
	invalid := func(problem string) string {
		return "binding rule 0 invalid: 1 error occurred:\n\t* " + problem + "\n\n"
	}
	with := func(change func(*api.ACLBindingRule)) *api.ACLBindingRule {
		own := *rule
		change(&own)
		return &own
	}
	for _, r := range []refusal{
		{http.MethodPut, path, map[string]any{}, 400, "binding rule 0 invalid: 2 errors occurred:\n\t* auth method is missing\n\t* bind type is missing\n\n"},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.BindType = "foo" }), 400, invalid(`unsupported bind type: "foo"`)},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.BindName = "" }), 400, invalid("bind name is missing")},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.BindType = "management" }), 400, invalid("bind name should be empty")},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.Selector = "(" }), 400,
			invalid(`selector is invalid: 1:2 (1): no match found, expected: "(", "-", "0", "\"", "` + "`" + `", "all", "any", "not", [ \t\r\n], [1-9] or [a-zA-Z]`)},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.Description = strings.Repeat("d", 257) }), 400, invalid("description longer than 256")},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.AuthMethod = "nope" }), 400, "ACL auth method nope not found"},
		{http.MethodPut, path, with(func(r *api.ACLBindingRule) { r.ID = "x" }), 400, "cannot find binding rule x"},
		{http.MethodPut, path + "/" + made.ID, map[string]any{"AuthMethod": "j"}, 400, "cannot update auth method for binding rule, create a new rule instead"},
		{http.MethodGet, path + "/x", nil, 404, "ACL binding rule not found"},
		{http.MethodGet, path + "/", nil, 400, "missing ACL binding rule ID"},
		{http.MethodDelete, path + "/x", nil, 500, "ACL binding rule not found"},
	} {
		r.check(t, n, rootSecret)
	}
	_, err = root.ACLBindingRules().Delete(made.ID, nil)
	require.NoError(t, err)
	refusal{http.MethodGet, path + "s", nil, 403, "Permission denied"}.check(t, n, "")
}

// signer signs tokens of another issuer, whose public key is given in PEM.
func signer(t *testing.T) (public string, sign func(claims map[string]any) string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), func(claims map[string]any) string {
		token, err := jwt.Signed(s).Claims(claims).Serialize()
		require.NoError(t, err)
		return token
	}
}

func TestLoggingIn(t *testing.T) {
	t.Parallel()
	n, root := startACL(t, Region{}, Region{Name: "west"})
	public, sign := signer(t)
	method := &api.ACLAuthMethod{
		Name: "j", Type: "JWT", TokenLocality: "local", MaxTokenTTL: time.Hour, TokenNameFormat: "${auth_method_name}/${value.name}",
		Config: &api.ACLAuthMethodConfig{
			JWTValidationPubKeys: []string{public}, SigningAlgs: []string{"ES256"},
			ClaimMappings: map[string]string{"name": "name"}, ListClaimMappings: map[string]string{"groups": "groups"},
		},
	}
	_, _, err := root.ACLAuthMethods().Create(method, nil)
	require.NoError(t, err)
	_, err = root.ACLPolicies().Upsert(&api.ACLPolicy{Name: "p-alice", Rules: `node { policy = "read" }`}, nil)
	require.NoError(t, err)
	role, _, err := root.ACLRoles().Create(&api.ACLRole{Name: "r", Policies: []*api.ACLRolePolicyLink{{Name: "p-alice"}}}, nil)
	require.NoError(t, err)
	shown := sign(map[string]any{"iat": time.Now().Unix(), "name": "alice", "groups": []string{"eng"}})
	log := func() (*api.ACLToken, error) {
		token, _, err := connect(t, n).ACLAuth().Login(&api.ACLLoginRequest{AuthMethodName: "j", LoginToken: shown}, nil)
		return token, err
	}
	_, err = log()
	require.ErrorContains(t, err, "no role or policy bindings matched")
	rule := func(kind, name, selector string) *api.ACLBindingRule {
		made, _, err := root.ACLBindingRules().Create(&api.ACLBindingRule{AuthMethod: "j", BindType: kind, BindName: name, Selector: selector}, nil)
		require.NoError(t, err)
		return made
	}
	rule("policy", "p-${value.name}", "value.name == alice")
	rule("role", "r", "eng in list.groups")
	rule("policy", "not-there", "")
	rule("policy", "p-alice", "value.missing == x or other.missing == y")
	token, err := log()
	require.NoError(t, err)
	assert.Equal(t, []string{"p-alice"}, token.Policies)
	assert.Equal(t, []*api.ACLTokenRoleLink{{ID: role.ID, Name: "r"}}, token.Roles)
	assert.Equal(t, "j/alice", token.Name)
	assert.Equal(t, token.CreateTime.Add(time.Hour), *token.ExpirationTime)
	_, _, err = withToken(t, n, token.SecretID).Nodes().List(nil)
	require.NoError(t, err)
	_, _, err = withToken(t, n, token.SecretID).Nodes().List(&api.QueryOptions{Region: "west"})
	require.ErrorContains(t, err, "Permission denied", "a local token holds in its region")

	for refused, name := range map[string]string{
		`cannot compute "policy" bind name for bind target: 1:3: unknown variable accessed: value.nothere`: "${value.nothere}",
		`computed "policy" bind name for bind target is invalid: "a b"`:                                    "a b",
	} {
		made := rule("policy", name, "")
		_, err = log()
		assert.ErrorContains(t, err, refused)
		_, err = root.ACLBindingRules().Delete(made.ID, nil)
		require.NoError(t, err)
	}
	rule("management", "", "value.name == alice")
	method.TokenLocality, method.TokenNameFormat = "global", "${nope}"
	_, _, err = root.ACLAuthMethods().Update(method, nil)
	require.NoError(t, err)
	_, err = log()
	require.ErrorContains(t, err, "failed to generate ACL token name: 1:3: unknown variable accessed: nope")
	method.TokenNameFormat = "x"
	_, _, err = root.ACLAuthMethods().Update(method, nil)
	require.NoError(t, err)
	token, err = log()
	require.NoError(t, err)
	assert.Equal(t, "management", token.Type)
	assert.Empty(t, token.Policies)
	_, _, err = withToken(t, n, token.SecretID).ACLTokens().List(&api.QueryOptions{Region: "west"})
	assert.NoError(t, err, "a global token holds everywhere")

	for _, r := range []refusal{
		{http.MethodPut, "/v1/acl/login", map[string]any{}, 400, "invalid login request: 2 errors occurred:\n\t* missing auth method name\n\t* missing login token\n\n"},
		{http.MethodPut, "/v1/acl/login", nil, 400, "Request body is empty"},
		{http.MethodPut, "/v1/acl/login", api.ACLLoginRequest{AuthMethodName: "nope", LoginToken: "x"}, 400, `auth-method "nope" not found`},
		{http.MethodPut, "/v1/acl/login", api.ACLLoginRequest{AuthMethodName: "j", LoginToken: "x"}, 401,
			"unable to validate provided token: unable to verify signature of JWT token: error verifying token signature: go-jose/go-jose: compact JWS format must have three parts"},
		{http.MethodPut, "/v1/acl/oidc/auth-url", map[string]any{}, 400, "invalid OIDC auth-url request: 3 errors occurred:\n\t* missing auth method name\n\t* missing client nonce\n\t* missing redirect URI\n\n"},
		{http.MethodPut, "/v1/acl/oidc/auth-url", api.ACLOIDCAuthURLRequest{AuthMethodName: "j", ClientNonce: "n", RedirectURI: "x"}, 400, "unsupported auth-method type: JWT"},
		{http.MethodPut, "/v1/acl/oidc/complete-auth", map[string]any{}, 400, "invalid OIDC complete-auth request: 5 errors occurred:\n\t* missing auth method name\n\t* missing client nonce\n\t* missing state\n\t* missing code\n\t* missing redirect URI\n\n"},
	} {
		r.check(t, n, "")
	}
}
