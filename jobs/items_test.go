package jobs_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/jobs"
)

// withTemplates reads a job file whose task has these templates.
func withTemplates(t *testing.T, templates ...string) jobs.Job {
	t.Helper()
	text := `job "web" {
  group "main" {
    task "main" {
      driver = "raw_exec"
      config {
        command = "/bin/true"
      }
`
	for i, template := range templates {
		text += fmt.Sprintf("template {\n destination = \"local/%d\"\n %s\n}\n", i, template)
	}
	files := fstest.MapFS{"web.nomad.hcl": &fstest.MapFile{Data: []byte(text + "}\n}\n}\n")}}
	job, err := jobs.Read(files, "web", nil)
	require.NoError(t, err)
	return job
}

func data(template string) string { return fmt.Sprintf("data = %q", template) }

func TestItemsAreWhatTemplatesReadOfTheJobsOwnVariable(t *testing.T) {
	t.Parallel()
	needed := func(names ...string) jobs.Items { return jobs.Items{Needed: names} }
	all := jobs.Items{All: true}
	for template, want := range map[string]jobs.Items{
		`plain`:                          {},
		`{{ env "a" }}{{ .a }}{{ $.a }}`: {},
		`{{ with nomadVar "nomad/jobs/web" -}} A={{ .a }} B={{ .b | toJSON }} {{- end }}{{ .c }}`:                    needed("a", "b"),
		`{{ with nomadVar "nomad/jobs/other" }}{{ .a }}{{ end }}`:                                                    {},
		`{{ with nomadVar "nomad/jobs" }}{{ .a }}{{ end }}`:                                                          {},
		`{{ with nomadVar "nomad/jobs/web/main" }}{{ .a }}{{ end }}`:                                                 {},
		`{{ with nomadVar "nomad/jobs/web@default.global" }}{{ .a }}{{ end }}`:                                       needed("a"),
		`{{ with $v := nomadVar "nomad/jobs/web" }}{{ $v.a.Value }}{{ .b }}{{ end }}`:                                needed("a", "b"),
		`{{ $v := nomadVar "nomad/jobs/web" }}{{ range service "x" }}{{ .b }}{{ $v.a }}{{ end }}`:                    needed("a"),
		`{{ (nomadVar "nomad/jobs/web").a }}`:                                                                        needed("a"),
		`{{ index (nomadVar "nomad/jobs/web") "a" }}`:                                                                needed("a"),
		`{{ "nomad/jobs/web" | nomadVar | toJSON }}`:                                                                 all,
		`{{ printf "nomad/jobs/%s" "web" | nomadVar }}`:                                                              all,
		`{{ with nomadVar (env "p") }}{{ .a }}{{ end }}`:                                                             {Needed: []string{"a"}, All: true},
		`{{ with nomadVar "nomad/jobs/web" }}{{ with .a }}{{ . }}{{ .b }}{{ end }}{{ else }}{{ .c }}{{ end }}`:       {Optional: []string{"a"}},
		`{{ with nomadVar "nomad/jobs/web" }}{{ if and .a (not .b) }}{{ .a }}{{ .c }}{{ end }}{{ end }}`:             {Needed: []string{"c"}, Optional: []string{"a", "b"}},
		`{{ if nomadVarExists "nomad/jobs/web" }}{{ end }}`:                                                          {},
		`{{ range $user, $password := nomadVar "nomad/jobs/web" }}{{ $user }}{{ $password.a }}{{ .b }}{{ end }}`:     all,
		`{{ with nomadVar "nomad/jobs/web" }}{{ .system }}{{ range .Tuples }}{{ .K }}{{ end }}{{ end }}`:             {Needed: []string{"system"}, All: true},
		`{{ with nomadVar "nomad/jobs/web" }}{{ .Metadata.Path }}{{ end }}`:                                          {},
		`{{ nomadVar "nomad/jobs/web" }}`:                                                                            all,
		`{{ define "d" }}{{ .a }}{{ $.b }}{{ template "d" . }}{{ end }}{{ template "d" nomadVar "nomad/jobs/web" }}`: needed("a", "b"),
		`{{ define "d" }}{{ with nomadVar "nomad/jobs/web" }}{{ .a }}{{ end }}{{ end }}{{ executeTemplate "d" }}`:    needed("a"),
		`{{ $v := "" }}{{ if true }}{{ $v = nomadVar "nomad/jobs/web" }}{{ end }}{{ $v.a }}`:                         all,
		`{{ index }}{{ nomadVar }}`:                                                                                  {},
	} {
		items, err := withTemplates(t, data(template)).Items()
		if assert.NoError(t, err, template) {
			assert.Equal(t, want, items, template)
		}
	}
}

func TestItemsOfSeveralTemplates(t *testing.T) {
	t.Parallel()
	items, err := withTemplates(t,
		data(`{{ with nomadVar "nomad/jobs/web" }}{{ .b }}{{ end }}`),
		`source = "local/comes-with-an-artifact"`,
		"left_delimiter = \"[[\"\n right_delimiter = \"]]\"\n"+data(`[[ (nomadVar "nomad/jobs/web").a ]] {{ .c }}`),
	).Items()
	require.NoError(t, err)
	assert.Equal(t, jobs.Items{Needed: []string{"a", "b"}}, items)

	_, err = withTemplates(t, data(`{{ with }}`)).Items()
	assert.ErrorContains(t, err, `job "web": task "main": template: local/0:1: missing value for with`)
}

func TestAJobIsGivenWhatItReads(t *testing.T) {
	t.Parallel()
	given := map[string]string{"a": "1", "b": "2", "c": "3"}
	assert.Equal(t, map[string]string{"a": "1", "b": "2"}, jobs.Items{Needed: []string{"a", "z"}, Optional: []string{"b"}}.Pick(given))
	assert.Equal(t, given, jobs.Items{All: true}.Pick(given))
	assert.Empty(t, jobs.Items{}.Pick(given))
}

func TestValuesAreForAllJobsOrForOne(t *testing.T) {
	t.Parallel()
	values := map[string]string{"count": "2", "web.count": "3", "web.note": "a", "webhooks.note": "b"}
	assert.Equal(t, map[string]string{"count": "3", "note": "a"}, jobs.Given(values, "web"))
	assert.Equal(t, map[string]string{"count": "2"}, jobs.Given(values, "mailer"))
}
