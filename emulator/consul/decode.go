package consul

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
)

// decodeStrictly reads the JSON body, which has to be there and to have no
// fields but those of the value.
func (r *request) decodeStrictly(into any) error {
	return r.decodeKnown(into, "Request decode failed")
}

// decodeKnown is decodeStrictly with a text of its own for what failed.
func (r *request) decodeKnown(into any, failed string) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		text := err.Error()
		if strings.HasSuffix(text, `unknown field "Namespace"`) {
			text += " - Namespaces are a Consul Enterprise feature"
		}
		return badRequest("%s: %s", failed, text)
	}
	return nil
}

// errText is an error that is answered as it is, with the status 500 that
// Consul gives to what its servers refuse.
func errText(format string, args ...any) error {
	return fail(http.StatusInternalServerError, format, args...)
}
