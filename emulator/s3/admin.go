package s3

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// keysPath is where access keys are administrated: below the name that no bucket
// can have.
//
//	GET    /minio/drydock/keys               all of them, without their secrets
//	PUT    /minio/drydock/keys/NAME          a new one: {"secret": …, "policy": …}
//	PUT    /minio/drydock/keys/NAME/policy   what it may do: a policy, or null for everything
//	DELETE /minio/drydock/keys/NAME
//
// All is JSON. The signature has to be in the header and over the body.
const keysPath = "/minio/drydock/keys"

const maxAdminBody = 64 << 10

// isAdmin tells the requests that are about access keys.
func (q *request) isAdmin() bool {
	rest, ok := strings.CutPrefix(q.r.URL.Path, keysPath)
	return ok && (rest == "" || rest[0] == '/')
}

// administrate lists and changes access keys for who may do so.
func (q *request) administrate() error {
	name, sub, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(q.r.URL.Path, keysPath), "/"), "/")
	var action string
	var handle func(name string) error
	switch {
	case q.r.Method == http.MethodGet && name == "":
		action, handle = "admin:ListUsers", q.listKeys
	case q.r.Method == http.MethodPut && name != "" && sub == "":
		action, handle = "admin:CreateUser", q.createKey
	case q.r.Method == http.MethodPut && name != "" && sub == "policy":
		action, handle = "admin:AttachUserOrGroupPolicy", q.setKeyPolicy
	case q.r.Method == http.MethodDelete && name != "" && sub == "":
		action, handle = "admin:DeleteUser", q.removeKey
	}
	q.bucket, q.key = "", ""
	if err := q.authenticate(); err != nil {
		return err
	}
	if q.auth.kind != signedHeader || q.auth.payloadHash == unsignedPayload {
		return errAccessDenied
	}
	switch {
	case handle == nil && sub != "":
		return errInvalidAccessKey
	case handle == nil:
		return errMethodNotAllowed
	}
	if err := q.allow(action, "", ""); err != nil {
		return err
	}
	return handle(name)
}

func (q *request) listKeys(string) error {
	return q.writeJSON(slices.SortedFunc(maps.Values(q.srv.keys.all()), func(a, b keyInfo) int { return cmp.Compare(a.Name, b.Name) }))
}

func (q *request) createKey(name string) error {
	body, err := q.readAdmin()
	if err != nil {
		return err
	}
	var in struct {
		Secret string          `json:"secret"`
		Policy json.RawMessage `json:"policy"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return errInvalidRequest.saying("The body is not the JSON of a key: %s", err)
	}
	p, err := parseKeyPolicy(in.Policy)
	if err != nil {
		return err
	}
	if err := q.srv.keys.create(name, Key{Secret: in.Secret, Policy: p}); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (q *request) setKeyPolicy(name string) error {
	body, err := q.readAdmin()
	if err != nil {
		return err
	}
	p, err := parseKeyPolicy(body)
	if err != nil {
		return err
	}
	if err := q.srv.keys.setPolicy(name, p); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (q *request) removeKey(name string) error {
	if err := q.srv.keys.remove(name); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// parseKeyPolicy reads a policy; only a null in so many words is everything.
func parseKeyPolicy(js []byte) (*iam.Policy, error) {
	if bytes.Equal(bytes.TrimSpace(js), []byte("null")) {
		return nil, nil
	}
	p, err := iam.Parse(js)
	if err != nil {
		return nil, errBadPolicy.saying("%s", err)
	}
	return p, nil
}

func (q *request) readAdmin() ([]byte, error) {
	body, err := q.openBody()
	if err != nil {
		return nil, err
	}
	if body.size > maxAdminBody {
		return nil, errEntityTooLarge
	}
	return io.ReadAll(body)
}
