package consul

import (
	"errors"
	"fmt"

	"github.com/hashicorp/consul/api"
)

// prepareConfigEntry fills in what an entry leaves to defaults, and refuses
// what its kind does not allow, in the words that Consul has for it.
func prepareConfigEntry(entry api.ConfigEntry) error {
	if name := entry.GetName(); name == "" {
		return errText("Name is required")
	}
	switch entry := entry.(type) {
	case *api.ServiceConfigEntry:
		return prepareServiceDefaults(entry)
	case *api.ProxyConfigEntry:
		return prepareProxyDefaults(entry)
	case *api.ServiceResolverConfigEntry:
		return checkResolver(entry)
	case *api.ServiceSplitterConfigEntry:
		return checkSplitter(entry)
	case *api.ServiceRouterConfigEntry:
		return checkRouter(entry)
	case *api.ServiceIntentionsConfigEntry:
		return prepareIntentions(entry)
	case *api.IngressGatewayConfigEntry:
		return prepareIngressGateway(entry)
	case *api.TerminatingGatewayConfigEntry:
		return checkTerminatingGateway(entry)
	case *api.APIGatewayConfigEntry:
		return checkAPIGateway(entry)
	case *api.HTTPRouteConfigEntry:
		prepareHTTPRoute(entry)
		return nil
	case *api.TCPRouteConfigEntry:
		return checkTCPRoute(entry)
	case *api.ExportedServicesConfigEntry:
		if entry.Name != "default" {
			return errors.New(`exported-services Name must be "default"`)
		}
		return nil
	case *api.JWTProviderConfigEntry:
		return prepareJWTProvider(entry)
	case *api.InlineCertificateConfigEntry:
		return checkInlineCertificate(entry)
	case *api.SamenessGroupConfigEntry:
		return errors.New("sameness-groups are an enterprise-only feature")
	default:
		return nil
	}
}

// oneError words an error as Consul does where it collects several.
func oneError(format string, args ...any) error {
	return errText("1 error occurred:\n\t* %s\n\n", fmt.Sprintf(format, args...))
}
