package ca

import (
	"fmt"
	"reflect"
	"time"

	"github.com/go-viper/mapstructure/v2"
)

// Config is the configuration of the provider "consul". The names of its
// fields are the keys of Config in the API, whatever their case.
type Config struct {
	LeafCertTTL         time.Duration // from an hour to a year; 72 hours by default
	IntermediateCertTTL time.Duration // at least three times LeafCertTTL; a year by default
	RootCertTTL         time.Duration // at least IntermediateCertTTL; ten years by default
	SkipValidate        bool          // accept anything that can be read

	CSRMaxPerSecond  float32 // 50 by default; 0 is no limit
	CSRMaxConcurrent int     // 0 by default, no limit

	PrivateKeyType string // ec (default) or rsa
	PrivateKeyBits int    // ec: 224, 256 (default), 384, 521; rsa: 2048, 4096

	PrivateKey string // PEM; empty to have one made
	RootCert   string // PEM, of PrivateKey; empty to have one made

	DisableCrossSigning bool
}

// DefaultConfig is what holds for everything that is not configured.
func DefaultConfig() Config {
	const day = 24 * time.Hour
	return Config{
		LeafCertTTL:         3 * day,
		IntermediateCertTTL: 365 * day,
		RootCertTTL:         3650 * day,
		CSRMaxPerSecond:     50,
		PrivateKeyType:      "ec",
		PrivateKeyBits:      256,
	}
}

// ConfigError says what is wrong with a configuration, in the words of Consul.
type ConfigError struct {
	Problem string
}

func (e *ConfigError) Error() string { return "error configuring provider: " + e.Problem }

func wrong(format string, args ...any) error {
	return &ConfigError{Problem: fmt.Sprintf(format, args...)}
}

// ParseConfig reads what the API was given as Config over the defaults, and
// checks it. Durations are text ("72h") or nanoseconds; numbers and booleans may
// be text. Keys that it does not know are ignored. The error is a *ConfigError.
func ParseConfig(raw map[string]any) (Config, error) {
	config := DefaultConfig()
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		DecodeHook:       readDuration,
		Result:           &config,
		WeaklyTypedInput: true,
	})
	if err != nil {
		return Config{}, wrong("error decoding config: %s", err)
	}
	if err := decoder.Decode(raw); err != nil {
		return Config{}, wrong("error decoding config: %s", err)
	}
	if err := config.validate(); err != nil {
		return Config{}, err
	}
	return config, nil
}

// readDuration turns text into durations. Mapstructure's own hook leaves the
// text out of its errors, Consul does not.
func readDuration(_, to reflect.Type, data any) (any, error) {
	text, ok := data.(string)
	if !ok || to != reflect.TypeFor[time.Duration]() {
		return data, nil
	}
	return time.ParseDuration(text)
}

// validate checks in the order in which Consul does, so that of several
// problems the same one is told.
func (c Config) validate() error {
	if c.RootCert != "" && c.PrivateKey == "" {
		return wrong("must provide a private key when providing a root cert")
	}
	if c.SkipValidate {
		return nil
	}
	if err := c.validateLifetimes(); err != nil {
		return err
	}
	return c.validateKey()
}

func (c Config) validateLifetimes() error {
	const shortestLeaf, longestLeaf = time.Hour, 365 * 24 * time.Hour
	switch {
	case c.LeafCertTTL < shortestLeaf:
		return wrong("leaf cert TTL must be greater or equal than %s", shortestLeaf)
	case c.LeafCertTTL > longestLeaf:
		return wrong("leaf cert TTL must be less than %s", longestLeaf)
	case c.RootCertTTL < c.IntermediateCertTTL:
		return wrong("root cert TTL is set and is not greater than intermediate cert ttl. "+
			"root cert ttl: %s, intermediate cert ttl: %s", c.RootCertTTL, c.IntermediateCertTTL)
	case c.IntermediateCertTTL < 3*time.Hour:
		return wrong("Intermediate Cert TTL must be greater or equal than 3h")
	case c.IntermediateCertTTL < 3*c.LeafCertTTL:
		return wrong("Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=%s).", 3*c.LeafCertTTL)
	default:
		return nil
	}
}

func (c Config) validateKey() error {
	switch c.PrivateKeyType {
	case "ec":
		if _, ok := curve(c.PrivateKeyBits); !ok {
			return wrong("EC key length must be one of (224, 256, 384, 521) bits")
		}
	case "rsa":
		if c.PrivateKeyBits != 2048 && c.PrivateKeyBits != 4096 {
			return wrong("RSA key length must be 2048 or 4096 bits")
		}
	default:
		return wrong("private key type must be either 'ec' or 'rsa'")
	}
	return nil
}

// SameRoot reports whether a root made for c still serves under other. If not,
// a change from c to other exchanges the root.
func (c Config) SameRoot(other Config) bool {
	return c.PrivateKeyType == other.PrivateKeyType && c.PrivateKeyBits == other.PrivateKeyBits &&
		c.PrivateKey == other.PrivateKey && c.RootCert == other.RootCert
}
