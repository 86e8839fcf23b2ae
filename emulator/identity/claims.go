package identity

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mitchellh/pointerstructure"
)

// Mappings say which claims become which attributes: from the claim's name, or
// its JSON pointer, to that of a text in the group "value", or a list in "list".
type Mappings struct {
	Texts map[string]string
	Lists map[string]string
}

// Blank is an identity with all the attributes that the mappings name, empty.
func (m Mappings) Blank() *Identity {
	values, lists := map[string]string{}, map[string][]string{}
	for _, attribute := range m.Texts {
		values[attribute] = ""
	}
	for _, attribute := range m.Lists {
		lists[attribute] = nil
	}
	return New(map[string]map[string]string{"value": values}, map[string]map[string][]string{"list": lists}, true)
}

// Read is the identity that claims tell. Claims that are not there leave their
// attributes empty.
func (m Mappings) Read(claims map[string]any) (*Identity, error) {
	i := m.Blank()
	for claim, attribute := range m.Texts {
		value, ok := find(claims, claim)
		if !ok {
			continue
		}
		text, ok := textOf(value)
		if !ok {
			return nil, fmt.Errorf("error converting claim '%s' to string from unknown type %T", claim, value)
		}
		i.texts["value"][attribute] = text
	}
	for claim, attribute := range m.Lists {
		value, ok := find(claims, claim)
		if !ok {
			continue
		}
		list, ok := listOf(value)
		if !ok {
			return nil, fmt.Errorf("%q list claim could not be converted to string list", claim)
		}
		i.lists["list"][attribute] = list
	}
	return i, nil
}

// find is the claim of a name, or that a JSON pointer leads to.
func find(claims map[string]any, name string) (any, bool) {
	if !strings.HasPrefix(name, "/") {
		value, ok := claims[name]
		return value, ok
	}
	value, err := pointerstructure.Get(claims, name)
	return value, err == nil
}

func textOf(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool:
		return strconv.FormatBool(value), true
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64), true
	default:
		return "", false
	}
}

func listOf(value any) ([]string, bool) {
	values, ok := value.([]any)
	if !ok {
		values = []any{value}
	}
	list := make([]string, len(values))
	for i := range values {
		if list[i], ok = textOf(values[i]); !ok {
			return nil, false
		}
	}
	return list, true
}
