package consul

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/drydock/drydock/emulator/consul/state"
)

// maxBody bounds the body of a request, in bytes, unless a route has its own bound.
const maxBody = 4 << 20

// request is one call of the API, as the handlers see it.
type request struct {
	*http.Request
	agent  *agent      // that was asked
	dc     *datacenter // that the request is about
	query  url.Values
	header http.Header // of the answer
	token  string      // the token's secret; empty is anonymous
	caller *caller     // resolved when first asked for
	stream io.Reader   // the body without a bound, for the routes that take long ones
}

func newRequest(a *agent, w http.ResponseWriter, r *http.Request) *request {
	req := &request{Request: r, agent: a, dc: a.dc, query: r.URL.Query(), header: w.Header(), stream: r.Body}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if req.token = secretOf(r, req.query); req.token == "" {
		req.token = a.tokens.get(tokenDefault)
	}
	return req
}

// secretOf finds the token's secret, in the order in which Consul looks.
func secretOf(r *http.Request, query url.Values) string {
	if secret := query.Get("token"); secret != "" {
		return secret
	}
	if secret := r.Header.Get("X-Consul-Token"); secret != "" {
		return secret
	}
	if scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(secret)
	}
	return ""
}

// has tells whether the query has the parameter, with a value or without.
func (r *request) has(parameter string) bool { return r.query.Has(parameter) }

// decode reads the JSON body. An empty one leaves the value as it is.
func (r *request) decode(into any) error {
	body, err := r.body()
	if err != nil || len(body) == 0 {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return badRequest("Request decode failed: %v", err)
	}
	return nil
}

// body reads the body, which is bounded.
func (r *request) body() ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fail(http.StatusRequestEntityTooLarge,
			"Request body(%d bytes) too large, max size: %d bytes.", r.ContentLength, tooLarge.Limit)
	}
	if err != nil {
		return nil, badRequest("Failed to read the request body: %v", err)
	}
	return body, nil
}

// write changes the state of the request's datacenter.
func (r *request) write(change func(*state.Tx) error) error { return r.dc.store.Write(change) }
