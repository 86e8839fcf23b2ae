package place

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// What holds here was found out of the real program.
func TestOperators(t *testing.T) {
	t.Parallel()
	node := &state.Node{Node: api.Node{ID: "id", Name: "name", Datacenter: "dc", NodeClass: "class", NodePool: "pool",
		Attributes: map[string]string{"set": "yes", "list": "SIGHUP, SIGINT"}, Meta: map[string]string{"size": "9"}}}
	for _, test := range []struct {
		left, operator, right string
		holds                 bool
	}{
		{"a", "=", "a", true},
		{"a", "==", "b", false},
		{"a", "is", "a", true},
		{"${meta.none}", "=", "a", false},
		{"${meta.none}", "=", "${meta.nope}", false},
		{"${meta.none}", "!=", "a", true},
		{"${meta.none}", "!=", "${meta.nope}", false},
		{"a", "not", "a", false},
		{"9", "<", "10", true},
		{"10", "<", "9", false},
		{"10", "<", "9.5", false},
		{"9", "<", "1e1", true},
		{"10.5", "<", "9", false},
		{"10", "<=", "10.0", true},
		{"10", "=", "10.0", false},
		{"9223372036854775808", ">", "1", true},
		{"9", "<", " 50", false},
		{"9", "<", "abc", true},
		{"a", "<", "b", true},
		{"a", ">=", "b", false},
		{"b", ">=", "b", true},
		{"${meta.none}", "<", "5", false},
		{"${meta.size}", ">", "8", true},
		{"linux", "regexp", "^l", true},
		{"linux", "regexp", "^w", false},
		{"é", "regexp", "^.$", true},
		{"linux", "regexp", "(", false},
		{"${meta.none}", "regexp", ".*", false},
		{"1.2.3", "version", "~> 1.2", true},
		{"1.2.3-beta", "version", ">= 1.2.2", false},
		{"1.2.3-beta", "version", "> 1.2.3-alpha", true},
		{"v1.2.3", "version", ">= 1.2.2", true},
		{"abc", "version", "> 1", false},
		{"1.2.3", "version", "nonsense", false},
		{"1.2.3-beta", "semver", ">= 1.2.2", true},
		{"1.2.3-beta", "semver", "> 1.2.3-alpha", true},
		{"1.2.3-beta", "semver", ">= 1.2.3", false},
		{"v1.2.3", "semver", ">= 1.2.2", true},
		{"1.2", "semver", ">= 1.2.0", true},
		{"1.0.0", "semver", ">= 1.0, < 2", true},
		{"2.0.0", "semver", ">= 1.0, < 2", false},
		{"1.2.3", "semver", "!= 1.2.3", false},
		{"1.2.3", "semver", "~> 1.2", false},
		{"a, b ,c", "set_contains", "b,a", true},
		{"a,b", "set_contains", "b,d", false},
		{"a,b", "set_contains_all", "a", true},
		{"a,b", "set_contains_any", "d,b", true},
		{"a,b", "set_contains_any", "d", false},
		{"${attr.list}", "set_contains", "SIGINT", true},
		{"${meta.none}", "set_contains", "a", false},
		{"${attr.set}", "is_set", "", true},
		{"${attr.none}", "is_set", "", false},
		{"${attr.set}", "is_not_set", "", false},
		{"${attr.none}", "is_not_set", "", true},
		{"${node.unique.id}", "=", "id", true},
		{"${node.unique.name}", "=", "name", true},
		{"${node.datacenter}", "=", "dc", true},
		{"${node.class}", "=", "class", true},
		{"${node.pool}", "=", "pool", true},
		{"${node.nothing}", "is_set", "", false},
		{"${nothing}", "is_set", "", false},
		{"yes", "=", "${attr.set}", true},
		{"a", "unknown", "a", false},
	} {
		c := newConstraint(test.left, test.operator, test.right)
		assert.Equal(t, test.holds, c.holds(node), c.text)
		assert.Equal(t, test.holds, c.holds(node), "again: %s", c.text)
	}
}

func TestWhatEscapesClasses(t *testing.T) {
	t.Parallel()
	for text, escapes := range map[string]bool{
		"${node.unique.id}": true, "${attr.unique.hostname}": true, "${meta.unique.x}": true,
		"${node.class}": false, "${attr.kernel.name}": false, "unique.x": false,
	} {
		left, right := newConstraint(text, "=", "x"), newConstraint("x", "=", text)
		assert.Equal(t, escapes, left.escapes(), text)
		assert.Equal(t, escapes, right.escapes(), text)
	}
}

func TestQuantities(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		left, operator, right string
		holds                 bool
	}{
		{"11 GiB", ">", "10 GB", true},
		{"1 GiB", "=", "1024 MiB", true},
		{"1 GB", "is", "1000 MB", true},
		{"2GiB", "<", "2049MiB", true},
		{"1.5 GHz", ">=", "1500 MHz", true},
		{"1000 mW", "==", "1 W", true},
		{"1 MiB/s", "!=", "1 MB/s", true},
		{"1 MiB/s", "not", "1 MiB", true},
		{"1 MiB/s", "=", "1 MiB", false},
		{"12", ">", "9", true},
		{"1 parsec", "=", "1 parsec", true},
		{"TITAN", "=", "TITAN", true},
		{"a", "<", "b", true},
	} {
		holds := newDeviceOperator(test.operator)(value{test.left, true}, value{test.right, true})
		assert.Equal(t, test.holds, holds, "%s %s %s", test.left, test.operator, test.right)
	}
	assert.False(t, newDeviceOperator("=")(value{}, value{"1", true}))
}

func FuzzOperators(f *testing.F) {
	f.Add("1.2.3", "semver", ">= 1.2")
	f.Add("9 GiB", "<", "10 GiB")
	f.Add("${meta.a", "regexp", "(")
	f.Fuzz(func(t *testing.T, left, operator, right string) {
		node := &state.Node{}
		c := newConstraint(left, operator, right)
		first, again := c.holds(node), c.holds(node)
		if first != again {
			t.Fatal("it holds only sometimes")
		}
		less, more := newOperator("<")(value{left, true}, value{right, true}), newOperator(">=")(value{left, true}, value{right, true})
		if less == more && !strings.EqualFold(left, "nan") && !strings.EqualFold(right, "nan") {
			t.Fatal("neither less nor not less")
		}
		newDeviceOperator(operator)(value{left, true}, value{right, true})
	})
}
