package settings_test

import (
	"flag"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/settings"
)

func TestTextsAreParsed(t *testing.T) {
	t.Parallel()
	ports := settings.Tree{"ports": settings.Tree{"http": 1}, "names": []any{"a", "b"}}
	for name, test := range map[string]struct {
		text   string
		asJSON bool
		want   settings.Tree
	}{
		"nothing":      {" \n", false, settings.Tree{}},
		"nothing JSON": {"", true, settings.Tree{}},
		"HCL":          {"ports { http = 1 }\nnames = [\"a\", \"b\"]", false, ports},
		"JSON":         {`{"ports":{"http":1},"names":["a","b"]}`, true, settings.Tree{"ports": settings.Tree{"http": 1.0}, "names": []any{"a", "b"}}},
		"labels":       {"host_volume \"certs\" { path = \"/etc\" }", false, settings.Tree{"host_volume": settings.Tree{"certs": settings.Tree{"path": "/etc"}}}},
		"several": {"volume \"a\" { n = 1 }\nvolume \"b\" { n = 2 }", false, settings.Tree{"volume": []any{
			settings.Tree{"a": settings.Tree{"n": 1}}, settings.Tree{"b": settings.Tree{"n": 2}},
		}}},
	} {
		got, err := settings.Parse([]byte(test.text), test.asJSON)
		require.NoError(t, err, name)
		assert.Equal(t, test.want, got, name)
	}
	for name, text := range map[string]string{"HCL": "a {", "JSON": "{"} {
		_, err := settings.Parse([]byte(text), name == "JSON")
		assert.Error(t, err, name)
	}
}

func TestSourcesAreMerged(t *testing.T) {
	t.Parallel()
	into := settings.Tree{"ports": settings.Tree{"http": 1, "rpc": 2}, "names": []any{"a"}, "name": "first"}
	from := settings.Tree{"ports": settings.Tree{"http": 3}, "names": []any{"b"}, "name": "second", "new": settings.Tree{"a": "b"}}
	settings.Merge(into, from)
	assert.Equal(t, settings.Tree{
		"ports": settings.Tree{"http": 3, "rpc": 2}, "names": []any{"a", "b"}, "name": "second", "new": settings.Tree{"a": "b"},
	}, into)
	settings.Put(into, "new.a", "changed")
	assert.Equal(t, settings.Tree{"a": "b"}, from["new"], "what was merged is left as it was")
}

func TestNestedSettingsArePut(t *testing.T) {
	t.Parallel()
	tree := settings.Tree{"server": "no block"}
	settings.Put(tree, "name", "n")
	settings.Put(tree, "server.join.retry", true)
	settings.Put(tree, "server.join.max", 3)
	assert.Equal(t, settings.Tree{"name": "n", "server": settings.Tree{"join": settings.Tree{"retry": true, "max": 3}}}, tree)
}

// decoded is what the tests decode into.
type decoded struct {
	LibPort int
	Wait    time.Duration
	Names   []string
	Joins   []struct{ Address string }
	Volumes map[string]struct{ Path string }
	Level   level
}

type level int

func asLevel(from, to reflect.Type, value any) (any, error) {
	if to == reflect.TypeFor[level]() && value == "high" {
		return level(9), nil
	}
	return value, nil
}

func TestTreesAreDecoded(t *testing.T) {
	t.Parallel()
	tree, err := settings.Parse([]byte(`
		lib_port = 8
		wait     = "3s"
		names    = ["a"]
		level    = "high"
		other    = 1
		joins { address = "x" }
		volumes "a" { path = "/a" }
		volumes "b" {
			path = "/b"
			typo = 1
		}`), false)
	require.NoError(t, err)
	var got decoded
	unknown, err := settings.Decode(tree, &got, asLevel)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"other", "Volumes[b].typo"}, unknown)
	assert.Equal(t, decoded{
		LibPort: 8, Wait: 3 * time.Second, Names: []string{"a"}, Joins: []struct{ Address string }{{"x"}},
		Volumes: map[string]struct{ Path string }{"a": {"/a"}, "b": {"/b"}}, Level: 9,
	}, got)
	for name, text := range map[string]string{"a number": `wait = "soon"`, "a port": `lib_port = "x"`} {
		tree, err := settings.Parse([]byte(text), false)
		require.NoError(t, err)
		_, err = settings.Decode(tree, &decoded{})
		assert.Error(t, err, name)
	}
}

func TestFlagsAreSettings(t *testing.T) {
	t.Parallel()
	known := settings.Flags{Texts: "node=name dc=server.dc", Lists: "join=server.join", Numbers: "port=ports.http", Switches: "dev=dev log-json=log.json"}
	parse := func(args ...string) (settings.Tree, error) {
		into := settings.Tree{}
		flags := flag.NewFlagSet("test", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		known.Add(flags, into)
		return into, flags.Parse(args)
	}
	got, err := parse("-node", "a", "-dc=east", "-join", "x", "-join", "y", "-port", "80", "-dev", "-log-json=false")
	require.NoError(t, err)
	assert.Equal(t, settings.Tree{
		"name": "a", "server": settings.Tree{"dc": "east", "join": []any{"x", "y"}}, "ports": settings.Tree{"http": 80},
		"dev": true, "log": settings.Tree{"json": false},
	}, got)
	for _, args := range [][]string{{"-port", "x"}, {"-dev=maybe"}, {"-none"}} {
		_, err := parse(args...)
		assert.Error(t, err, args)
	}
}

// FuzzParse reads whatever is in a file: what can be read can be merged.
func FuzzParse(f *testing.F) {
	f.Add("ports { http = 1 }", false)
	f.Add(`{"a":[{"b":1}]}`, true)
	f.Fuzz(func(t *testing.T, text string, asJSON bool) {
		tree, err := settings.Parse([]byte(text), asJSON)
		if err == nil {
			settings.Merge(settings.Tree{}, tree)
		}
	})
}
