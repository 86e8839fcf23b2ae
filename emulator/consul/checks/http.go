package checks

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/hashicorp/consul/api"
)

// httpProbe passes with a 2xx, warns with a 429, and fails with anything else.
func httpProbe(d Definition) probe {
	client := &http.Client{
		Timeout: d.probeTimeout(),
		// A connection for each probe, and no proxy between: the check asks whether the service takes connections.
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: d.tlsConfig()},
	}
	if d.DisableRedirects {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return func(ctx context.Context) Result {
		request, err := d.httpRequest(ctx)
		if err != nil {
			return critical(err.Error())
		}
		response, err := client.Do(request)
		if err != nil {
			return critical(err.Error())
		}
		defer response.Body.Close()
		// What was read before an error is all there is to show.
		body, _ := io.ReadAll(io.LimitReader(response.Body, int64(d.outputLimit())))
		return Result{
			Status: httpStatus(response.StatusCode),
			Output: fmt.Sprintf("HTTP %s %s: %s Output: %s", request.Method, d.HTTP, response.Status, body),
		}
	}
}

func (d Definition) httpRequest(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, d.Method, d.HTTP, strings.NewReader(d.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "Consul Health Check")
	request.Header.Set("Accept", "text/plain, text/*, */*")
	for name, values := range d.Header {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if host := request.Header.Get("Host"); host != "" {
		request.Host = host
	}
	return request, nil
}

func httpStatus(code int) string {
	switch {
	case code >= 200 && code <= 299:
		return api.HealthPassing
	case code == http.StatusTooManyRequests:
		return api.HealthWarning
	}
	return api.HealthCritical
}
