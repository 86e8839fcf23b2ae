package ca

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseConfigDefaults(t *testing.T) {
	t.Parallel()
	config, err := ParseConfig(nil)
	require.NoError(t, err)
	assert.Equal(t, DefaultConfig(), config)
	assert.Equal(t, 72*time.Hour, config.LeafCertTTL)
	assert.Equal(t, 87600*time.Hour, config.RootCertTTL)
}

func TestParseConfigReadsAllForms(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Config){
		`{"LeafCertTTL":"71h"}`:                                                     func(c *Config) { c.LeafCertTTL = 71 * time.Hour },
		`{"leafcertttl":"259200s"}`:                                                 func(c *Config) { c.LeafCertTTL = 72 * time.Hour },
		`{"LeafCertTTL":3600000000000}`:                                             func(c *Config) { c.LeafCertTTL = time.Hour },
		`{"LeafCertTTL":null,"Nope":1}`:                                             func(*Config) {},
		`{"LeafCertTTL":"1h","IntermediateCertTTL":"3h"}`:                           func(c *Config) { c.LeafCertTTL, c.IntermediateCertTTL = time.Hour, 3*time.Hour },
		`{"LeafCertTTL":"8760h","IntermediateCertTTL":"26280h"}`:                    func(c *Config) { c.LeafCertTTL, c.IntermediateCertTTL = 8760*time.Hour, 26280*time.Hour },
		`{"RootCertTTL":"8760h"}`:                                                   func(c *Config) { c.RootCertTTL = 8760 * time.Hour },
		`{"PrivateKeyBits":"384"}`:                                                  func(c *Config) { c.PrivateKeyBits = 384 },
		`{"PrivateKeyType":"rsa","PrivateKeyBits":4096}`:                            func(c *Config) { c.PrivateKeyType, c.PrivateKeyBits = "rsa", 4096 },
		`{"CSRMaxPerSecond":100.5,"CSRMaxConcurrent":1.5,"RotationPeriod":"2160h"}`: func(c *Config) { c.CSRMaxPerSecond, c.CSRMaxConcurrent = 100.5, 1 },
		`{"SkipValidate":"true","LeafCertTTL":"30m","PrivateKeyType":"x"}`: func(c *Config) {
			c.SkipValidate, c.LeafCertTTL, c.PrivateKeyType = true, 30*time.Minute, "x"
		},
	}
	for text, change := range cases {
		want := DefaultConfig()
		change(&want)
		config, err := ParseConfig(object(t, text))
		require.NoError(t, err, text)
		assert.Equal(t, want, config, text)
	}
}

// TestParseConfigSaysWhatConsulSays compares with what Consul 1.22.3 answers
// to PUT /v1/connect/ca/configuration.
func TestParseConfigSaysWhatConsulSays(t *testing.T) {
	t.Parallel()
	const decoding = "error decoding config: decoding failed due to the following error(s):\n\n"
	const lifetimes = "root cert TTL is set and is not greater than intermediate cert ttl. root cert ttl: "
	cases := map[string]string{
		`{"LeafCertTTL":"bogus"}`:                                            decoding + `'LeafCertTTL' time: invalid duration "bogus"`,
		`{"LeafCertTTL":""}`:                                                 decoding + `'LeafCertTTL' time: invalid duration ""`,
		`{"LeafCertTTL":"bogus","RootCertTTL":"bogus"}`:                      decoding + "'LeafCertTTL' time: invalid duration \"bogus\"\n'RootCertTTL' time: invalid duration \"bogus\"",
		`{"LeafCertTTL":[]}`:                                                 decoding + `'LeafCertTTL' expected type 'time.Duration', got unconvertible type '[]interface {}'`,
		`{"LeafCertTTL":{}}`:                                                 decoding + `'LeafCertTTL' expected type 'time.Duration', got unconvertible type 'map[string]interface {}'`,
		`{"PrivateKeyBits":"x"}`:                                             decoding + `'PrivateKeyBits' cannot parse value as 'int': strconv.ParseInt: invalid syntax`,
		`{"CSRMaxPerSecond":"x"}`:                                            decoding + `'CSRMaxPerSecond' cannot parse value as 'float32': strconv.ParseFloat: invalid syntax`,
		`{"CSRMaxConcurrent":"x"}`:                                           decoding + `'CSRMaxConcurrent' cannot parse value as 'int': strconv.ParseInt: invalid syntax`,
		`{"DisableCrossSigning":"x"}`:                                        decoding + `'DisableCrossSigning' cannot parse value as 'bool': strconv.ParseBool: invalid syntax`,
		`{"LeafCertTTL":"30m"}`:                                              "leaf cert TTL must be greater or equal than 1h0m0s",
		`{"LeafCertTTL":true}`:                                               "leaf cert TTL must be greater or equal than 1h0m0s",
		`{"LeafCertTTL":"8761h","IntermediateCertTTL":"1h"}`:                 "leaf cert TTL must be less than 8760h0m0s",
		`{"LeafCertTTL":"8760h"}`:                                            "Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=26280h0m0s).",
		`{"IntermediateCertTTL":"2h59m","LeafCertTTL":"1h"}`:                 "Intermediate Cert TTL must be greater or equal than 3h",
		`{"IntermediateCertTTL":"200h"}`:                                     "Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=216h0m0s).",
		`{"IntermediateCertTTL":"200h","RootCertTTL":"1s"}`:                  lifetimes + "1s, intermediate cert ttl: 200h0m0s",
		`{"RootCertTTL":0}`:                                                  lifetimes + "0s, intermediate cert ttl: 8760h0m0s",
		`{"IntermediateCertTTL":"100000h"}`:                                  lifetimes + "87600h0m0s, intermediate cert ttl: 100000h0m0s",
		`{"PrivateKeyType":"RSA"}`:                                           "private key type must be either 'ec' or 'rsa'",
		`{"PrivateKeyType":3}`:                                               "private key type must be either 'ec' or 'rsa'",
		`{"PrivateKeyType":"rsa"}`:                                           "RSA key length must be 2048 or 4096 bits",
		`{"PrivateKeyBits":true}`:                                            "EC key length must be one of (224, 256, 384, 521) bits",
		`{"RootCert":"x","LeafCertTTL":"1m","PrivateKeyType":"x"}`:           "must provide a private key when providing a root cert",
		`{"PrivateKeyType":"x","IntermediateCertTTL":"1h"}`:                  "Intermediate Cert TTL must be greater or equal than 3h",
		`{"PrivateKeyType":"x","RootCertTTL":"1s","LeafCertTTL":"59m59.9s"}`: "leaf cert TTL must be greater or equal than 1h0m0s",
	}
	for text, problem := range cases {
		_, err := ParseConfig(object(t, text))
		var wrong *ConfigError
		require.ErrorAs(t, err, &wrong, text)
		assert.EqualError(t, err, "error configuring provider: "+problem, text)
	}
}

func TestSameRoot(t *testing.T) {
	t.Parallel()
	before := DefaultConfig()
	after := before
	after.LeafCertTTL = time.Hour
	assert.True(t, before.SameRoot(after))
	after.PrivateKeyBits = 384
	assert.False(t, before.SameRoot(after))
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var raw map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &raw))
	return raw
}
