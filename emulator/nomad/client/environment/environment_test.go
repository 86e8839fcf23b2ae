package environment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func testEnv() Env {
	return New(map[string]string{"NOMAD_PORT_http": "8080", "A": "${NOMAD_PORT_http}"}, map[string]string{"meta.zone": "a"})
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":             "",
		"no reference": "no reference",
		"port ${NOMAD_PORT_http} of zone ${meta.zone}": "port 8080 of zone a",
		"${env.NOMAD_PORT_http}":                       "8080",
		"${unknown} ${meta.none} $HOME":                "${unknown} ${meta.none} $HOME",
		"${A}":                                         "${NOMAD_PORT_http}",
		"${not closed":                                 "${not closed",
		"${${meta.zone}}":                              "${${meta.zone}}",
	} {
		require.Equal(t, want, testEnv().Interpolate(text))
	}
}

func TestEnvironmentDoesNotChange(t *testing.T) {
	t.Parallel()
	e := testEnv()
	e.Map()["NOMAD_PORT_http"] = "changed"
	more := e.With(map[string]string{"NOMAD_PORT_http": "9090", "B": "b"})
	value, known := e.Get("NOMAD_PORT_http")
	require.True(t, known)
	require.Equal(t, "8080", value)
	_, known = e.Get("B")
	require.False(t, known)
	require.Equal(t, "9090 b a", more.Interpolate("${NOMAD_PORT_http} ${B} ${meta.zone}"))
	require.Equal(t, map[string]string{"B": "b"}, Env{}.With(map[string]string{"B": "b"}).Map())
	reference, _ := e.Reference("meta.zone")
	require.Equal(t, "a", reference)
}

func TestFoldersOfAnIsolatedTask(t *testing.T) {
	t.Parallel()
	e := New(map[string]string{"NOMAD_TASK_DIR": "/local"}, nil)
	require.Equal(t, "/local/x", e.InterpolatePath("${NOMAD_TASK_DIR}/x"))
	e = e.WithFolders(map[string]string{"NOMAD_TASK_DIR": "/here/local"}).With(map[string]string{"A": "a"})
	require.Equal(t, "/here/local/x", e.InterpolatePath("${NOMAD_TASK_DIR}/x"))
	require.Equal(t, "/local/x", e.Interpolate("${NOMAD_TASK_DIR}/x"))
}

func TestListIsWhatAShellTakes(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"A=1", "MY_VAR.x=2"}, List(map[string]string{"MY-VAR.x": "2", "A": "1"}))
}

func FuzzInterpolate(f *testing.F) {
	for _, seed := range []string{"${meta.zone}", "${", "}${A}", "${env.A}${A", "$${A}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := testEnv().Interpolate(text)
		if !strings.Contains(text, "${") {
			require.Equal(t, text, got)
		}
	})
}
