package nomad

import "net/http"

// enterpriseRoutes are those that the community edition has in order to say
// that it does not have them.
func enterpriseRoutes() []route {
	var routes []route
	for path, methods := range map[string][]string{
		"/v1/quotas":                    {http.MethodGet},
		"/v1/quota-usages":              {http.MethodGet},
		"/v1/quota":                     {http.MethodPut},
		"/v1/quota/{name...}":           {http.MethodGet, http.MethodPut, http.MethodDelete},
		"/v1/quota/usage/{name...}":     {http.MethodGet},
		"/v1/sentinel/policies":         {http.MethodGet},
		"/v1/sentinel/policy/{name...}": {http.MethodGet, http.MethodPut, http.MethodDelete},
		"/v1/recommendations":           {http.MethodGet},
		"/v1/recommendations/apply":     {http.MethodPut},
		"/v1/recommendation":            {http.MethodPut},
		"/v1/recommendation/{id...}":    {http.MethodGet, http.MethodDelete},
	} {
		for _, method := range methods {
			routes = append(routes, faithful(method, path, enterpriseOnly))
		}
	}
	return routes
}
