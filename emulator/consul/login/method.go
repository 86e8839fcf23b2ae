package login

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"

	"github.com/drydock/drydock/emulator/identity"
)

// Types of auth methods.
const (
	JWT        = "jwt"
	Kubernetes = "kubernetes"
	AWSIAM     = "aws-iam" // known by its name alone
)

// Method checks the credentials of an auth method. It may be used from any goroutine.
type Method interface {
	// Probe is an error when what the method needs, a server that tells keys
	// say, is not there.
	Probe(ctx context.Context) error
	// Verify checks a credential and says whose it is.
	Verify(ctx context.Context, credential string) (*identity.Identity, error)
	// Blank is an identity with all the attributes that Verify gives, empty, to
	// check binding rules against.
	Blank() *identity.Identity
}

// Types are those that an auth method can have, sorted.
func Types() []string { return []string{AWSIAM, JWT, Kubernetes} }

// Parse makes the method of a type out of an auth method's Config, which it checks.
func Parse(kind string, config map[string]any) (Method, error) {
	switch kind {
	case JWT:
		return parseJWT(config)
	case Kubernetes:
		return parseKubernetes(config)
	case AWSIAM:
		return nil, fmt.Errorf("type %q is not emulated", kind)
	default:
		return nil, fault("Type should be one of: [%s]", strings.Join(Types(), " "))
	}
}

// decode reads a Config. Values may have a like type; names have to be known.
func decode(config map[string]any, into any) error {
	var read mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result:           into,
		Metadata:         &read,
		WeaklyTypedInput: true,
	})
	if err == nil {
		err = decoder.Decode(config)
	}
	if err != nil {
		return fmt.Errorf("error decoding config: %w", err)
	}
	if len(read.Unused) > 0 {
		slices.Sort(read.Unused)
		return fault("error decoding config: decoding failed due to the following error(s):\n\n'' has invalid keys: %s",
			strings.Join(read.Unused, ", "))
	}
	return nil
}

// Error says what is wrong with an auth method, in the words of Consul.
type Error struct{ Problem string }

func (e *Error) Error() string { return e.Problem }

func fault(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }
