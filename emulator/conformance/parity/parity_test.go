package parity

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatDiffersBetweenRunsIsMasked(t *testing.T) {
	t.Parallel()
	const output = "b  7a1f2c3d  2026-01-02T15:04:05Z \na  port=1234 127.0.0.1:80\n"
	masks := []Mask{{regexp.MustCompile(`port=\d+`), "port=<port>"}}
	assert.Equal(t, "b <id> <time>\na port=<port> 127.0.0.1:<port>\n", masked(output, Command{}, masks))
	assert.Equal(t, "\na port=<port> 127.0.0.1:<port>\nb <id> <time>", masked(output, Command{Sorted: true}, masks))
	assert.Equal(t, "took <number> ms", masked("took 1.5 ms", Command{Numbers: true}, nil))
}

func TestJSONIsComparedInAnOrderOfItsOwn(t *testing.T) {
	t.Parallel()
	command := Command{}
	const ordered = "note\n{\n \"a\": <1>,\n \"b\": 2.50\n}\nhint\n"
	assert.Equal(t, ordered, masked("note\n{\"b\": 2.50, \"a\": \"<1>\"}\nhint\n", command, []Mask{{regexp.MustCompile(`"<1>"`), "<1>"}}))
	assert.Equal(t, "{broken\n", masked("{broken\n", command, nil))
	assert.Equal(t, "none\n", masked("none\n", command, nil))
}

func TestAShellHasItsFilesAndTheProgram(t *testing.T) {
	files := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(files, "bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(files, "bin", "helper"), []byte("#!/bin/sh\necho helped by $DEMO_VALUE $DEMO_OTHER\n"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(files, "input"), []byte("from a file\n"), 0o644))
	t.Setenv("DEMO_OTHER", "not seen")
	shell := NewShell(t, Settings{Program: "/bin/echo", Name: "demo", Files: files, Set: []string{"DEMO_VALUE=1"}, Wait: time.Minute})

	got, err := shell.run(t.Context(), Command{Line: "cat input; helper; demo said; echo loudly >&2; exit 3"})
	require.NoError(t, err)
	assert.Equal(t, effect{3, "from a file\nhelped by 1\nsaid\nloudly\n"}, got)
}

func TestCommandsThatAgreeAndThoseThatAreListedToDifferPass(t *testing.T) {
	t.Parallel()
	shell := func(value string) *Shell {
		return NewShell(t, Settings{Program: "/bin/echo", Name: "demo", Files: t.TempDir(), Set: []string{"VALUE=" + value}, Wait: time.Minute})
	}
	comparison := Comparison{Real: shell("real"), Emulated: shell("emulated"), Differs: map[string]string{"echo $VALUE": "they are named so"}}
	comparison.Run(t, []Command{
		{Line: "echo same"},
		{Line: "echo $VALUE"},
		{Line: "echo run >> runs; test $VALUE = real || test $(wc -l < runs) -ge 3", Eventually: true},
	})
}

func TestListedDifferencesHaveReasons(t *testing.T) {
	t.Parallel()
	differs, err := ParseDiffers("# why\n\nnomad status -json\n    times have another form\n")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"nomad status -json": "times have another form"}, differs)

	for text, says := range map[string]string{
		"nomad status\nnomad job\n  because\n": "line 1: nomad status has no reason",
		"nomad status\n":                       "nomad status has no reason",
		"  because\n":                          "line 1: a reason without its command",
	} {
		_, err := ParseDiffers(text)
		assert.EqualError(t, err, says)
	}
}
