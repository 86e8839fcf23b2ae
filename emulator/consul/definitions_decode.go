package consul

import (
	"bytes"
	"encoding/json"
	"strings"
)

// decodeDefinition reads the JSON body, a definition, strictly. Its fields may
// be named in the style of configuration files, too: enable_tag_override.
func (r *request) decodeDefinition(into any) error {
	body, err := r.body()
	if err != nil {
		return err
	}
	if bytes.Contains(body, []byte("_")) {
		body = plainNames(body)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badRequest("Request decode failed: %v", err)
	}
	return nil
}

// plainNames drops the underscores from the names of fields. Those of maps that
// users fill are left alone. What is no JSON object is returned as it is.
func plainNames(body []byte) []byte {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&fields) != nil {
		return body
	}
	renamed, err := json.Marshal(withPlainNames(fields, true))
	if err != nil {
		return body
	}
	return renamed
}

func withPlainNames(value any, namesFields bool) any {
	switch value := value.(type) {
	case map[string]any:
		renamed := make(map[string]any, len(value))
		for name, member := range value {
			plain := strings.ReplaceAll(name, "_", "")
			if !namesFields {
				renamed[name] = withPlainNames(member, true)
				continue
			}
			switch strings.ToLower(plain) {
			case "meta", "config", "header":
				renamed[plain] = member
			case "taggedaddresses":
				renamed[plain] = withPlainNames(member, false)
			default:
				renamed[plain] = withPlainNames(member, true)
			}
		}
		return renamed
	case []any:
		for i, member := range value {
			value[i] = withPlainNames(member, namesFields)
		}
	}
	return value
}
