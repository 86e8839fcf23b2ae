package filter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type kind string

type part struct {
	Name string
	Size int
}

type row struct {
	Name   string
	Kind   kind
	Tags   []string
	Meta   map[string]string
	Port   int
	Weight uint16
	Load   float64
	On     bool
	Parts  []part
	By     map[string]part
	Next   *part
	Hidden string `bexpr:"-"`
	Other  string `bexpr:"Renamed"`
}

var full = row{
	Name: "web", Kind: "proxy", Tags: []string{"v1", "blue"}, Meta: map[string]string{"version": "2", "a b": "c"},
	Port: 8080, Weight: 3, Load: 0.5, On: true, Parts: []part{{"x", 1}, {"y", 2}}, By: map[string]part{"k": {"z", 3}},
	Next: &part{"n", 4}, Other: "o",
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"":                             true,
		"Name == web":                  true,
		"Name != web":                  false,
		"Name == `web` and Port == 80": false,
		"Name == x or Port == 8080":    true,
		"not Name == x":                true,
		"(Name == x or On == true) and Kind == proxy": true,
		"e in Name":                true,
		"Name contains q":          false,
		"Name not contains q":      true,
		"Name matches `^w.b$`":     true,
		"Name not matches `^w.b$`": false,
		"v1 in Tags":               true,
		"v2 in Tags":               false,
		"v2 not in Tags":           true,
		"Tags is empty":            false,
		"Tags is not empty":        true,
		"version in Meta":          true,
		"Meta.version == 2":        true,
		`Meta["a b"] == c`:         true,
		"Meta.none == 2":           false,
		"Meta.none != 2":           true,
		"x in Meta.none":           false,
		"x not in Meta.none":       true,
		"Meta is empty":            false,
		"Port == `0x1F90`":         true,
		"Weight == 3":              true,
		"Load == 0.5":              true,
		"On == false":              false,
		"Parts.Name == y":          true,
		"Parts.Size == 3":          false,
		"Parts is empty":           false,
		"By.k.Size == 3":           true,
		"By.none.Size == 3":        false,
		"Next.Name == n":           true,
		"Renamed == o":             true,
	} {
		f, err := New[row](expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, f.Keeps(full), expression)
		pointers, err := New[*row](expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, pointers.Keeps(&full), expression)
	}
}

func TestAnEmptyValue(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"Next.Name == n":    false,
		"Next.Name == ``":   true,
		"Parts.Name == y":   false,
		"Meta is empty":     true,
		"Meta.version == 2": false,
	} {
		f, err := New[*row](expression)
		require.NoError(t, err, expression)
		assert.Equal(t, want, f.Keeps(&row{}), expression)
		assert.Equal(t, want, f.Keeps(nil), expression)
	}
}

func TestWrongExpressions(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"None == 1":                     `Selector "None" is not valid`,
		"Other == 1":                    `Selector "Other" is not valid`,
		"Hidden == 1":                   `Selector "Hidden" is not valid`,
		"Name.x == 1":                   `Selector "Name.x" is not valid`,
		"Parts.None == 1":               `Selector "Parts.None" is not valid`,
		"Meta == 1":                     `Invalid match operator "Equal" for selector "Meta"`,
		"Name is not empty":             `Invalid match operator "Is Not Empty" for selector "Name"`,
		"Next == 1":                     `Invalid match operator "Equal" for selector "Next"`,
		"Port == x":                     `Failed to coerce value "x" for selector "Port": strconv.ParseInt: parsing "x": invalid syntax`,
		"Weight == 70000":               `Failed to coerce value "70000" for selector "Weight": strconv.ParseUint: parsing "70000": value out of range`,
		"Name matches `[`":              "Failed to compile regular expression \"[\": error parsing regexp: missing closing ]: `[`",
		"Name == web and":               "1:16 (15): no match found, expected: [ \\t\\r\\n]",
		`"/Name" == web`:                `Selector "Name" is not valid`,
		"any Tags as tag { tag == v1 }": "Cannot validate: Invalid AST",
	} {
		_, err := New[row](expression)
		var wrong *Error
		require.ErrorAs(t, err, &wrong, expression)
		assert.EqualError(t, wrong, "Failed to create boolean expression evaluator: "+want, expression)
	}
}

func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{"Name == web", "not (a in Tags) or Meta.x != `y`", "Parts.Size == 1", `Meta["a"] matches "["`, "Next is nil"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		compiled, err := New[*row](expression)
		if err != nil {
			return
		}
		compiled.Keeps(&full)
		compiled.Keeps(nil)
	})
}
