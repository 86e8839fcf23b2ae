package identity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClaimsBecomeAttributes(t *testing.T) {
	t.Parallel()
	mappings := Mappings{
		Texts: map[string]string{"http://x/name": "name", "/nested/team": "team", "age": "age", "gone": "gone"},
		Lists: map[string]string{"groups": "groups", "one": "one"},
	}
	i, err := mappings.Read(map[string]any{
		"http://x/name": "bob", "nested": map[string]any{"team": "blue"}, "age": 42.0, "groups": []any{"a", 1.5, true}, "one": "x",
	})
	require.NoError(t, err)
	text, err := i.Fill("${value.name} ${value.team} ${value.age}${value.gone}")
	require.NoError(t, err)
	assert.Equal(t, "bob blue 42", text)
	text, err = i.With(map[string]string{"method": "m"}).Fill("${method}-${value.name}")
	require.NoError(t, err)
	assert.Equal(t, "m-bob", text)
	for selector, want := range map[string]bool{
		"": true, "value.name == bob": true, "a in list.groups": true, `"1.5" in list.groups`: true, "x in list.one": true,
		"value.gone is empty": true, "b in list.groups": false,
	} {
		matches, err := i.Matches(selector)
		require.NoError(t, err, selector)
		assert.Equal(t, want, matches, selector)
	}
	_, err = mappings.Read(map[string]any{"age": map[string]any{}})
	assert.EqualError(t, err, "error converting claim 'age' to string from unknown type map[string]interface {}")
	_, err = mappings.Read(map[string]any{"groups": map[string]any{}})
	assert.EqualError(t, err, `"groups" list claim could not be converted to string list`)
}

func TestExpressionsAndTemplatesAreCheckedBeforeAnybodyLogsIn(t *testing.T) {
	t.Parallel()
	blank := Mappings{Texts: map[string]string{"name": "name"}, Lists: map[string]string{"groups": "groups"}}.Blank()
	for selector, refused := range map[string]string{
		"":                 "",
		"value.name == x":  "",
		"value.other == x": "",
		"x in list.groups or not list.groups is empty": "",
		"value is empty":    "",
		"other == x":        `Selector "other" is not valid`,
		"value.name.x == x": `Selector "value.name.x" is not valid`,
		"value == x":        `Invalid match operator "Equal" for selector "value"`,
		"list.groups == x":  `Invalid match operator "Equal" for selector "list.groups"`,
	} {
		if err := blank.CheckSelector(selector); refused == "" {
			assert.NoError(t, err, selector)
		} else {
			assert.EqualError(t, err, refused, selector)
		}
	}
	assert.Error(t, blank.CheckSelector("value.name =="))

	filled := blank.Filled("fake")
	for template, refused := range map[string]string{
		"plain":                "",
		"a-${value.name}":      "",
		"${value.other}":       "1:3: unknown variable accessed: value.other",
		"${list.groups}":       "1:3: unknown variable accessed: list.groups",
		"${lower(value.name)}": "1:3: unknown function called: lower",
		"${value.name":         `parse error at 1:13: expected "}" but found end of string`,
	} {
		text, err := filled.Fill(template)
		if refused == "" {
			require.NoError(t, err, template)
			assert.NotContains(t, text, "$")
		} else {
			assert.EqualError(t, err, refused, template)
		}
	}
}

// FuzzSelector: what CheckSelector accepts, Matches works out.
func FuzzSelector(f *testing.F) {
	for _, selector := range []string{"value.name == x", `"a" in list.groups`, "not (value.x is empty and value is not empty)", "value.name matches `(`"} {
		f.Add(selector)
	}
	identity := &Identity{
		texts: map[string]map[string]string{"value": {"name": "bob"}},
		lists: map[string]map[string][]string{"list": {"groups": {"a", "b"}}},
		open:  true,
	}
	f.Fuzz(func(t *testing.T, selector string) {
		if identity.CheckSelector(selector) != nil {
			return
		}
		_, err := identity.Matches(selector)
		assert.NoError(t, err)
	})
}

// FuzzTemplate: no template makes Fill panic, and one without ${ stays as it is.
func FuzzTemplate(f *testing.F) {
	for _, template := range []string{"a-${value.name}", "$${x}", "${1 + 2}", "${value.name"} {
		f.Add(template)
	}
	identity := &Identity{texts: map[string]map[string]string{"value": {"name": "bob"}}}
	f.Fuzz(func(t *testing.T, template string) {
		_, _ = identity.Fill(template)
	})
}
