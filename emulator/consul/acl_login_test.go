package consul

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/hashicorp/consul/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newKey makes the key of an issuer of tokens, and its public part in PEM.
func newKey(t *testing.T) (*ecdsa.PrivateKey, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// signed is a token of claims, valid for an hour.
func signed(t *testing.T, key *ecdsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	require.NoError(t, err)
	now := time.Now()
	token, err := jwt.Signed(signer).Claims(jwt.Claims{
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

// newMethod creates an auth method that trusts the key, and binding rules for it.
func newMethod(t *testing.T, c *Consul, method api.ACLAuthMethod, public string, rules ...api.ACLBindingRule) {
	t.Helper()
	method.Type = "jwt"
	method.Config = map[string]any{
		"JWTValidationPubKeys": []string{public},
		"ClaimMappings":        map[string]string{"name": "name"},
		"ListClaimMappings":    map[string]string{"groups": "groups"},
	}
	client := as(t, c, root).ACL()
	_, _, err := client.AuthMethodCreate(&method, nil)
	require.NoError(t, err)
	for _, rule := range rules {
		rule.AuthMethod = method.Name
		_, _, err := client.BindingRuleCreate(&rule, nil)
		require.NoError(t, err)
	}
}

func TestLogInAndOut(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, public := newKey(t)
	newPolicy(t, c, "ops", `key_prefix "" { policy = "write" }`)
	_, _, err := as(t, c, root).ACL().RoleCreate(&api.ACLRole{Name: "bob"}, nil)
	require.NoError(t, err)
	newMethod(t, c, api.ACLAuthMethod{Name: "people", MaxTokenTTL: time.Hour}, public,
		api.ACLBindingRule{BindType: api.BindingRuleBindTypePolicy, BindName: "ops", Selector: `ops in list.groups`},
		api.ACLBindingRule{BindType: api.BindingRuleBindTypePolicy, BindName: "absent"},
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeRole, BindName: "${value.name}"},
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeService, BindName: "web-${value.name}"},
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeNode, BindName: "node-${value.name}"},
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeTemplatedPolicy, BindName: "builtin/service",
			BindVars: &api.ACLTemplatedPolicyVariables{Name: "${value.name}"}},
	)
	bob := signed(t, key, map[string]any{"name": "bob", "groups": []string{"dev", "ops"}})
	token, _, err := as(t, c, "").ACL().Login(&api.ACLLoginParams{
		AuthMethod: "people", BearerToken: bob, Meta: map[string]string{"from": "here"},
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, `token created via login: {"from":"here"}`, token.Description)
	assert.Equal(t, "people", token.AuthMethod)
	assert.True(t, token.Local)
	assert.Equal(t, token.CreateTime.Add(time.Hour), *token.ExpirationTime)
	assert.Equal(t, "ops", token.Policies[0].Name)
	assert.Equal(t, "bob", token.Roles[0].Name)
	assert.Equal(t, []*api.ACLServiceIdentity{{ServiceName: "web-bob"}}, token.ServiceIdentities)
	assert.Equal(t, []*api.ACLNodeIdentity{{NodeName: "node-bob", Datacenter: "dc1"}}, token.NodeIdentities)
	require.Len(t, token.TemplatedPolicies, 1)
	assert.Equal(t, &api.ACLTemplatedPolicyVariables{Name: "bob"}, token.TemplatedPolicies[0].TemplateVariables)
	_, err = as(t, c, token.SecretID).KV().Put(&api.KVPair{Key: "a"}, nil)
	assert.NoError(t, err)

	_, _, err = as(t, c, root).ACL().TokenClone(token.AccessorID, "", nil)
	assert.ErrorContains(t, err, "Cannot clone a token created from an auth method")
	_, err = as(t, c, token.SecretID).ACL().Logout(nil)
	require.NoError(t, err)
	_, err = as(t, c, token.SecretID).ACL().Logout(nil)
	assert.ErrorContains(t, err, "ACL not found")
}

func TestLoginsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, public := newKey(t)
	newMethod(t, c, api.ACLAuthMethod{Name: "nothing"}, public)
	newMethod(t, c, api.ACLAuthMethod{Name: "people"}, public,
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeService, BindName: "web-${value.name}"})
	other, _ := newKey(t)
	for _, test := range []struct{ method, credential, want string }{
		{"absent", "x", `403 (ACL not found: auth method "absent" not found)`},
		{"nothing", signed(t, key, nil), "403 (Permission denied)"},
		{"people", "", "500 (missing jwt)"},
		{"people", signed(t, other, nil), "500 (no known key successfully validated the token signature)"},
		{"people", signed(t, key, map[string]any{"name": "A B"}), `500 (invalid bind name: "web-a b")`},
	} {
		_, _, err := as(t, c, "").ACL().Login(&api.ACLLoginParams{AuthMethod: test.method, BearerToken: test.credential}, nil)
		assert.EqualError(t, err, "Unexpected response code: "+test.want)
	}
	for secret, want := range map[string]string{
		"":         "401 (Supplied token does not exist)",
		root:       "403 (Permission denied: token wasn't created via login)",
		"nobody's": "403 (ACL not found)",
	} {
		_, err := as(t, c, secret).ACL().Logout(nil)
		assert.EqualError(t, err, "Unexpected response code: "+want)
	}
}

func TestGlobalLoginsHoldEverywhere(t *testing.T) {
	t.Parallel()
	c := guarded(t, "dc1", "dc2")
	key, public := newKey(t)
	rule := api.ACLBindingRule{BindType: api.BindingRuleBindTypeService, BindName: "${value.name}"}
	newMethod(t, c, api.ACLAuthMethod{Name: "local"}, public, rule)
	newMethod(t, c, api.ACLAuthMethod{Name: "global", TokenLocality: "global"}, public, rule)
	for method, everywhere := range map[string]bool{"local": false, "global": true} {
		token, _, err := as(t, c, "").ACL().Login(&api.ACLLoginParams{
			AuthMethod: method, BearerToken: signed(t, key, map[string]any{"name": "web"}),
		}, nil)
		require.NoError(t, err)
		_, _, err = asIn(t, c, "dc2", token.SecretID).ACL().TokenReadSelf(nil)
		assert.Equal(t, everywhere, err == nil, method)
	}
}

func TestAuthMethodsAreCreatedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	key, public := newKey(t)
	newMethod(t, c, api.ACLAuthMethod{Name: "people", DisplayName: "People", MaxTokenTTL: 90 * time.Minute}, public,
		api.ACLBindingRule{BindType: api.BindingRuleBindTypeService, BindName: "web"})
	methods := as(t, c, root).ACL()
	method, _, err := methods.AuthMethodRead("people", nil)
	require.NoError(t, err)
	assert.Equal(t, 90*time.Minute, method.MaxTokenTTL)
	token, _, err := as(t, c, "").ACL().Login(&api.ACLLoginParams{AuthMethod: "people", BearerToken: signed(t, key, nil)}, nil)
	require.NoError(t, err)

	method.Description, method.MaxTokenTTL = "changed", 0
	changed, _, err := methods.AuthMethodUpdate(method, nil)
	require.NoError(t, err)
	assert.Equal(t, method.CreateIndex, changed.CreateIndex)
	list, _, err := methods.AuthMethodList(nil)
	require.NoError(t, err)
	require.Len(t, list, 1)
	assert.Equal(t, "changed", list[0].Description)
	assert.Zero(t, list[0].MaxTokenTTL)

	_, err = methods.AuthMethodDelete("people", nil)
	require.NoError(t, err)
	rules, _, err := methods.BindingRuleList("people", nil)
	require.NoError(t, err)
	assert.Empty(t, rules)
	_, _, err = as(t, c, token.SecretID).ACL().TokenReadSelf(nil)
	assert.Error(t, err, "its tokens go with it")
	read, _, err := methods.AuthMethodRead("people", nil)
	require.NoError(t, err)
	assert.Nil(t, read)
}

func TestAuthMethodsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	_, public := newKey(t)
	newMethod(t, c, api.ACLAuthMethod{Name: "people"}, public)
	assertRefused(t, c, []refusal{
		{"PUT", "auth-method", ``, 400, "AuthMethod decoding failed: EOF"},
		{"PUT", "auth-method", `{"Name":"x","MaxTokenTTL":"x"}`, 400, `AuthMethod decoding failed: time: invalid duration "x"`},
		{"PUT", "auth-method", `{}`, 500, "Invalid Auth Method: no Name is set"},
		{"PUT", "auth-method", `{"Name":"a b"}`, 500, "Invalid Auth Method: invalid Name. Only alphanumeric characters, '-' and '_' are allowed"},
		{"PUT", "auth-method", `{"Name":"x","Type":"oidc"}`, 500, "Invalid Auth Method: Type should be one of: [aws-iam jwt kubernetes]"},
		{"PUT", "auth-method", `{"Name":"x","Type":"jwt","TokenLocality":"x"}`, 500, "Invalid Auth Method: TokenLocality should be one of 'local' or 'global'"},
		{"PUT", "auth-method", `{"Name":"x","Type":"jwt","MaxTokenTTL":"1s"}`, 500, "MaxTokenTTL 1s cannot be less than 1m0s"},
		{"PUT", "auth-method/people", `{"Name":"x"}`, 400, "AuthMethod Name in URL and payload do not match"},
		{"PUT", "auth-method/people", `{"Type":"kubernetes"}`, 500, "the Type field of an Auth Method is immutable"},
		{"GET", "auth-method/", ``, 400, "Missing auth method name"},
		{"GET", "auth-method/nope", ``, 404, "Requested auth method does not exist: ACL not found"},
		{"DELETE", "auth-method/", ``, 400, "Missing auth method name"},
		{"DELETE", "auth-method/nope", ``, 404, "Cannot find auth method to delete"},
	})
}

func TestBindingRulesAreCreatedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	_, public := newKey(t)
	newMethod(t, c, api.ACLAuthMethod{Name: "people"}, public)
	rules := as(t, c, root).ACL()
	created, _, err := rules.BindingRuleCreate(&api.ACLBindingRule{
		AuthMethod: "people", BindType: api.BindingRuleBindTypeService, BindName: "${value.name}", Selector: "value.name != root",
	}, nil)
	require.NoError(t, err)
	read, _, err := rules.BindingRuleRead(created.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, created, read)
	read.Selector = ""
	changed, _, err := rules.BindingRuleUpdate(read, nil)
	require.NoError(t, err)
	assert.Equal(t, created.CreateIndex, changed.CreateIndex)
	list, _, err := rules.BindingRuleList("people", nil)
	require.NoError(t, err)
	assert.Equal(t, []*api.ACLBindingRule{changed}, list)
	_, err = rules.BindingRuleDelete(created.ID, nil)
	require.NoError(t, err)
	read, _, err = rules.BindingRuleRead(created.ID, nil)
	require.NoError(t, err)
	assert.Nil(t, read)
}

func TestBindingRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	c := guarded(t)
	_, public := newKey(t)
	newMethod(t, c, api.ACLAuthMethod{Name: "other"}, public)
	newMethod(t, c, api.ACLAuthMethod{Name: "m"}, public)
	rule, _, err := as(t, c, root).ACL().BindingRuleCreate(&api.ACLBindingRule{
		AuthMethod: "m", BindType: api.BindingRuleBindTypeService, BindName: "x",
	}, nil)
	require.NoError(t, err)
	const binding = "Invalid Binding Rule: invalid BindName or BindVars: "
	assertRefused(t, c, []refusal{
		{"PUT", "binding-rule", ``, 400, "BindingRule decoding failed: EOF"},
		{"PUT", "binding-rule", `{"ID":"x"}`, 400, "BindingRule ID in URL and payload do not match"},
		{"PUT", "binding-rule", `{}`, 500, "Invalid Binding Rule: no AuthMethod is set"},
		{"PUT", "binding-rule", `{"AuthMethod":"nope"}`, 500, `cannot find auth method with name "nope"`},
		{"PUT", "binding-rule", `{"AuthMethod":"m"}`, 500, "Invalid Binding Rule: no BindType is set"},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"service"}`, 500, "Invalid Binding Rule: no BindName is set"},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"x","BindName":"x"}`, 500, binding + `invalid Binding Rule: unknown BindType "x"`},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"service","BindName":"a b"}`, 500, binding + `failed to validate bindType "service": invalid bind name: "a b"`},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"service","BindName":"${value.x}"}`, 500,
			binding + `failed to validate bindType "service": error interpreting template: 1:3: unknown variable accessed: value.x`},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"service","BindName":"x","Selector":"x == 1"}`, 500, `invalid Binding Rule: Selector is invalid: Selector "x" is not valid`},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"service","BindName":"x","BindVars":{"Name":"x"}}`, 500,
			"invalid Binding Rule: BindVars cannot be set when bind type is not templated-policy."},
		{"PUT", "binding-rule", `{"AuthMethod":"m","BindType":"templated-policy","BindName":"x"}`, 500,
			binding + `failed to validate bindType "templated-policy": Bind name for templated-policy bind type does not match existing template name: x`},
		{"PUT", "binding-rule/" + rule.ID, `{"AuthMethod":"other"}`, 500, "the AuthMethod field of an Binding Rule is immutable"},
		{"PUT", "binding-rule/" + absentAccessor, `{}`, 500, "cannot find binding rule " + absentAccessor},
		{"PUT", "binding-rule/nope", `{}`, 500, "Binding Rule ID invalid UUID"},
		{"GET", "binding-rule/", ``, 400, "Missing binding rule ID"},
		{"GET", "binding-rule/nope", ``, 500, "failed acl binding rule lookup: index error: UUID must be 36 characters"},
		{"GET", "binding-rule/" + absentAccessor, ``, 404, "Requested binding rule does not exist: ACL not found"},
		{"DELETE", "binding-rule/", ``, 400, "Missing binding rule ID"},
		{"DELETE", "binding-rule/" + absentAccessor, ``, 404, "Cannot find binding rule to delete"},
	})
}
