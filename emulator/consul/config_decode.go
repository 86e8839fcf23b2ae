package consul

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/hashicorp/go-multierror"
)

// decodeConfigEntry reads the JSON of a configuration entry, whose fields may
// be named in CamelCase or in snake_case. A field that its kind does not have
// is an error.
func decodeConfigEntry(body []byte) (api.ConfigEntry, error) {
	var raw map[string]any
	if err := json.Unmarshal(body, &raw); err != nil {
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) && syntax.Offset >= int64(len(body)) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	entry, err := api.DecodeConfigEntry(map[string]any{"Kind": valueOf(raw, "Kind")})
	if err != nil {
		if valueOf(raw, "Kind") == nil {
			_, err = api.DecodeConfigEntry(raw)
		}
		return nil, err
	}
	if !slices.Contains(configKinds, entry.GetKind()) {
		return nil, fmt.Errorf("invalid config entry kind: %s", entry.GetKind())
	}
	delete(raw, "Hash") // answers have it
	var unknown *multierror.Error
	named := rename(raw, reflect.TypeOf(entry), "", func(key string) {
		unknown = multierror.Append(unknown, fmt.Errorf("invalid config key %q", key))
	})
	if unknown != nil {
		return nil, unknown
	}
	return api.DecodeConfigEntry(named.(map[string]any))
}

// valueOf is the value of a key without regard to case.
func valueOf(raw map[string]any, name string) any {
	for key, value := range raw {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

// rename gives the keys of a value, as it was read from JSON, the names of the
// fields of the type that it is for. Unknown is called with those that have none.
func rename(value any, of reflect.Type, path string, unknown func(key string)) any {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	switch value := value.(type) {
	case []any:
		if of.Kind() != reflect.Slice {
			return value
		}
		for i := range value {
			value[i] = rename(value[i], of.Elem(), fmt.Sprintf("%s[%d]", path, i), unknown)
		}
	case map[string]any:
		switch of.Kind() {
		case reflect.Map:
			for key := range value {
				value[key] = rename(value[key], of.Elem(), join(path, key), unknown)
			}
		case reflect.Struct:
			return renameFields(value, of, path, unknown)
		}
	}
	return value
}

func renameFields(value map[string]any, of reflect.Type, path string, unknown func(key string)) map[string]any {
	named := map[string]any{}
	for key, part := range value {
		field, ok := fieldFor(of, key)
		switch {
		case ok:
			named[field.Name] = rename(part, field.Type, join(path, key), unknown)
		case path == "" && strings.EqualFold(key, "Kind"): // some types have it without a field
			named["Kind"] = part
		case path == "" && strings.EqualFold(key, "Name"):
		default:
			unknown(join(path, key))
		}
	}
	return named
}

// fieldFor finds the field that a key names, by its name or its alias.
func fieldFor(of reflect.Type, key string) (reflect.StructField, bool) {
	if of == reflect.TypeFor[time.Time]() {
		return reflect.StructField{}, false
	}
	return of.FieldByNameFunc(func(name string) bool {
		field, _ := of.FieldByName(name)
		return field.IsExported() && (strings.EqualFold(name, key) || field.Tag.Get("alias") == key)
	})
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
