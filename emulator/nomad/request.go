package nomad

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// maxBody bounds the body of a request, in bytes, unless a route has its own bound.
const maxBody = 32 << 20

// request is one call of the API, as the handlers see it.
type request struct {
	*http.Request
	asked  *region // whose server was asked
	region *region // that the request is about
	query  url.Values
	header http.Header // of the answer
	token  string      // the token's secret; empty is anonymous
	caller *caller     // resolved when first asked for
	stream io.Reader   // the body without a bound, for the routes that take long ones
}

func newRequest(asked *region, w http.ResponseWriter, r *http.Request) (*request, error) {
	req := &request{
		Request: r, asked: asked, region: asked, query: r.URL.Query(), header: w.Header(), stream: r.Body,
		token: secretOf(r),
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return req, req.forward(req.query.Get("region"))
}

// forward has the request be about another region; no name is the one asked.
// Of themselves agents tell whatever the region.
func (r *request) forward(region string) error {
	if region == "" {
		return nil
	}
	if found := r.asked.nomad.region(region); found != nil {
		r.region = found
		return nil
	}
	if strings.HasPrefix(r.URL.Path, "/v1/agent/") || r.URL.Path == "/v1/regions" {
		return nil
	}
	return fail(http.StatusInternalServerError, "No path to region")
}

// secretOf finds the token's secret.
func secretOf(r *http.Request) string {
	if secret := r.Header.Get("X-Nomad-Token"); secret != "" {
		return strings.TrimSpace(secret)
	}
	if scheme, secret, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(secret)
	}
	return ""
}

// has tells whether the query has the parameter, with a value or without.
func (r *request) has(parameter string) bool { return r.query.Has(parameter) }

// namespace is the one that the request is about; "*" is all of them.
func (r *request) namespace() string {
	if name := r.query.Get("namespace"); name != "" {
		return name
	}
	return api.DefaultNamespace
}

// decode reads the JSON body.
func (r *request) decode(into any) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	if len(body) == 0 {
		return badRequest("Request body is empty")
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(into); err != nil {
		return badRequest("%v", err)
	}
	return nil
}

// body reads the body, which is bounded.
func (r *request) body() ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, fail(http.StatusRequestEntityTooLarge, "the request's body is longer than the %d bytes that are taken", tooLarge.Limit)
	}
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return body, nil
}

// write changes the state of the request's region, and says in the header
// which change it was.
func (r *request) write(change func(*state.Tx) error) error {
	return r.region.store.Write(func(tx *state.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		r.setIndex(tx.ChangeIndex())
		return nil
	})
}
