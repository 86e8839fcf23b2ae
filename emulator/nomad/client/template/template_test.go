package template

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	consulapi "github.com/hashicorp/consul/api"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/consul"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

func TestDestinations(t *testing.T) {
	t.Parallel()
	block := func(destination string) *api.Template {
		return &api.Template{EmbeddedTmpl: new(destination), DestPath: new(destination)}
	}
	task := newTask(t, block("local/a"), block("/local/deep/b"), block("${NOMAD_TASK_DIR}/c"), block("${NOMAD_SECRETS_DIR}/d"),
		block("${NOMAD_ALLOC_DIR}/e"), block("../alloc/f"))
	require.NoError(t, newTemplates(t, Config{}, task).Prestart(t.Context()))
	for path, want := range map[string]string{
		"t/local/a": "local/a", "t/local/deep/b": "/local/deep/b", "t/local/c": "${NOMAD_TASK_DIR}/c",
		"t/secrets/d": "${NOMAD_SECRETS_DIR}/d", "alloc/e": "${NOMAD_ALLOC_DIR}/e", "alloc/f": "../alloc/f",
	} {
		assert.Equal(t, want, task.read(t, path))
	}
	for _, path := range []string{"../../x", "local/../../../x"} {
		_, err := New(Config{})(newTask(t, block(path)))
		require.EqualError(t, err, "template destination path escapes alloc directory")
	}
}

func TestFunctionsAndOptions(t *testing.T) {
	t.Parallel()
	task := newTask(t,
		&api.Template{EmbeddedTmpl: new(`{{ env "NOMAD_TASK_NAME" }} {{ env "attr.kernel.name" }} [{{ env "HOME" }}] {{ envOrDefault "NOPE" "x" }}`), DestPath: new("local/env")},
		&api.Template{EmbeddedTmpl: new("<< `[1,2]` | parseJSON | len >> {{ }}"), DestPath: new("local/delims"), LeftDelim: new("<<"), RightDelim: new(">>"), Perms: new("0600")},
		&api.Template{SourcePath: new("local/source"), DestPath: new("local/from-source")},
		&api.Template{EmbeddedTmpl: new("FOO=a b\nexport BAR=\"x\\ny\"\n# no\n"), DestPath: new("secrets/vars"), Envvars: new(true)},
	)
	require.NoError(t, os.WriteFile(filepath.Join(task.Dir().Local(), "source"), []byte(`from {{ "source" | toUpper }}`), 0o600))
	templates := newTemplates(t, Config{}, task)
	require.NoError(t, templates.Prestart(t.Context()))
	assert.Equal(t, "t linux [] x", task.read(t, "t/local/env"), "nothing of the owner's environment")
	assert.Equal(t, "2 {{ }}", task.read(t, "t/local/delims"))
	about, err := os.Stat(filepath.Join(task.Dir().Local(), "delims"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), about.Mode())
	assert.Equal(t, "from SOURCE", task.read(t, "t/local/from-source"))
	assert.Equal(t, map[string]string{"FOO": "a b", "BAR": "x\ny"}, templates.Env())
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{{ nope }}`:                              `Template failed: (dynamic): parse: template: :1: function "nope" not defined`,
		`{{ plugin "echo" }}`:                     `Template failed: (dynamic): execute: template: :1:3: executing "" at <plugin "echo">: error calling plugin: function is disabled`,
		`{{ file "/etc/passwd" }}`:                `Template failed: (dynamic): execute: template: :1:3: executing "" at <file "/etc/passwd">: error calling file: '/etc/passwd' is outside of sandbox`,
		`{{ mustEnv "NOPE" }}`:                    `Template failed: (dynamic): execute: template: :1:3: executing "" at <mustEnv "NOPE">: error calling mustEnv: required environment variable NOPE is empty`,
		`{{ .foo.bar }}`:                          `Template failed: (dynamic): execute: template: :1:7: executing "" at <.foo.bar>: nil data; no entry for key "foo"`,
		`{{ with secret "a/b" }}{{ . }}{{ end }}`: `Template failed: vault.read(a/b): there is no Vault here: use nomadVar`,
		`{{ key "a" }}`:                           `Template failed: kv.block(a): this node has no Consul agent: use nomadVar and nomadService, or configure one`,
	} {
		task := newTask(t, &api.Template{EmbeddedTmpl: new(data), DestPath: new("local/out"), ErrMissingKey: new(true)})
		err := newTemplates(t, Config{}, task).Prestart(t.Context())
		require.EqualError(t, err, want)
		assert.Equal(t, []string{"Killing: " + want}, task.told())
		assert.True(t, task.events[0].FailsTask)
	}
	task := newTask(t, &api.Template{EmbeddedTmpl: new("no separator"), DestPath: new("local/out"), Envvars: new(true)})
	err := newTemplates(t, Config{}, task).Prestart(t.Context())
	require.EqualError(t, err, `Template failed to read environment variables: error parsing env template "`+task.dir.Root+`/t/local/out": error on line 1: missing =`)
}

func TestSourcesAreOfTheAllocation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ source, want string }{
		{"../../x", "template source path escapes alloc directory"},
		{"local/link", "failed to read template: openat t/local/link: path escapes from parent"},
		{"local/none", "failed to read template: openat t/local/none: no such file or directory"},
	} {
		task := newTask(t, &api.Template{SourcePath: new(c.source), DestPath: new("local/out")})
		require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(task.Dir().Local(), "link")))
		_, err := New(Config{})(task)
		require.EqualError(t, err, c.want)
	}
}

func TestVariablesAreFollowed(t *testing.T) {
	t.Parallel()
	region := startRegion(t)
	task := newTask(t,
		&api.Template{EmbeddedTmpl: new(`{{ with nomadVar "nomad/jobs/j" }}{{ .x }}{{ end }}`), DestPath: new("local/signalled"), ChangeMode: new("signal"), ChangeSignal: new("SIGHUP"), Splay: new(time.Duration(0))},
		&api.Template{EmbeddedTmpl: new(`{{ nomadVarExists "nomad/jobs/j" }}`), DestPath: new("local/exists"), ChangeMode: new("noop")},
		&api.Template{EmbeddedTmpl: new(`{{ with nomadVar "nomad/jobs/j" }}{{ .x }}{{ end }}`), DestPath: new("local/once"), Once: new(true)},
	)
	templates := newTemplates(t, Config{Nomad: region.URL}, task)
	ready := make(chan error, 1)
	go func() { ready <- templates.Prestart(t.Context()) }()
	task.tells(t, "Template: Missing: nomad.var.block(nomad/jobs/j@default.global)")
	region.put("nomad/jobs/j", map[string]string{"x": "1"})
	require.NoError(t, <-ready)
	assert.Equal(t, "1", task.read(t, "t/local/signalled"))
	assert.Equal(t, "identity", region.asked()[0], "the task asks as itself")
	task.becomes(t, "t/local/exists", "true")

	region.put("nomad/jobs/j", map[string]string{"x": "2"})
	task.becomes(t, "t/local/signalled", "2")
	assert.Len(t, task.told(), 1, "no process runs yet")
	templates.Poststart()
	task.tells(t, "Signaling: Template re-rendered")
	assert.Equal(t, "hangup", task.event(1).TaskSignal)
	assert.Equal(t, "1", task.read(t, "t/local/once"))

	task.mu.Lock()
	task.token = "renewed"
	task.mu.Unlock()
	region.put("nomad/jobs/j", map[string]string{"x": "3"}) // ends the question that is open
	eventually(t, func() bool { asked := region.asked(); return asked[len(asked)-1] == "renewed" }, "with its new identity")
}

func TestRestartAndScript(t *testing.T) {
	t.Parallel()
	region := startRegion(t)
	region.put("v", map[string]string{"x": "1", "y": "1", "z": "1"})
	script := func(field string, fail bool) *api.Template {
		return &api.Template{
			EmbeddedTmpl: new(`{{ with nomadVar "v" }}{{ .` + field + ` }}{{ end }}`), DestPath: new("local/" + field),
			ChangeMode: new("script"), Splay: new(time.Millisecond),
			ChangeScript: &api.ChangeScript{Command: new("/bin/" + field), Args: []string{"a", "b"}, FailOnError: new(fail)},
		}
	}
	task := newTask(t, script("y", false), script("z", true),
		&api.Template{EmbeddedTmpl: new(`{{ with nomadVar "v" }}{{ .x }}{{ end }}`), DestPath: new("local/x"), Splay: new(time.Millisecond)})
	var codes sync.Map
	codes.Store("/bin/y", 0)
	task.exec = func(c driver.Command) (int, error) {
		assert.Equal(t, []string{"a", "b"}, c.Args[1:])
		code, ok := codes.Load(c.Args[0])
		if !ok {
			return 0, errors.New("it does not run")
		}
		return code.(int), nil
	}
	templates := newTemplates(t, Config{Nomad: region.URL}, task)
	require.NoError(t, templates.Prestart(t.Context()))
	templates.Poststart()
	change := func(x, y, z string) { region.put("v", map[string]string{"x": x, "y": y, "z": z}) }
	change("1", "2", "1")
	task.tells(t, "Task hook message: Template successfully ran script /bin/y with arguments: [a b]. Exit code: 0")
	codes.Store("/bin/y", 3)
	change("1", "3", "1")
	task.tells(t, "Task hook failed: Template ran script /bin/y with arguments [a b] on change but it exited with code: 3")
	change("1", "3", "2")
	task.tells(t, "Task hook failed: Template failed to run script /bin/z with arguments [a b] on change: it does not run. Exit code: 0")
	task.tells(t, "Killing: Template script failed, task is being killed")
	change("2", "3", "2")
	task.tells(t, "Restart Signaled: Template with change_mode restart re-rendered")
	require.NoError(t, templates.Prestart(t.Context()), "all are rendered")
}

func TestScriptOnFirstRender(t *testing.T) {
	t.Parallel()
	task := newTask(t, &api.Template{EmbeddedTmpl: new("x"), DestPath: new("local/x"), ChangeMode: new("script"), Splay: new(time.Duration(0)), ChangeScript: &api.ChangeScript{
		Command: new("/bin/first"), RunOnFirstRender: new(true),
	}})
	task.exec = func(driver.Command) (int, error) { return 0, nil }
	templates := newTemplates(t, Config{}, task)
	require.NoError(t, templates.Prestart(t.Context()))
	templates.Poststart()
	task.tells(t, "Task hook message: Template successfully ran script /bin/first with arguments: []. Exit code: 0")
}

func TestConsulIsFollowed(t *testing.T) {
	t.Parallel()
	c, err := consul.Start(t.Context(), consul.Options{WithoutConnect: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Close()) })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := consulapi.NewClient(&consulapi.Config{Address: c.URL("dc1"), HttpClient: &http.Client{Transport: transport}})
	require.NoError(t, err)
	task := newTask(t,
		&api.Template{EmbeddedTmpl: new(`{{ key "a" }} {{ keyOrDefault "b" "none" }}`), DestPath: new("local/keys")},
		&api.Template{EmbeddedTmpl: new(`{{ range service "web" }}{{ .Address }}:{{ .Port }} {{ end }}`), DestPath: new("local/services")},
	)
	templates := newTemplates(t, Config{Consul: c.URL("dc1")}, task)
	ready := make(chan error, 1)
	go func() { ready <- templates.Prestart(t.Context()) }()
	put := func(key, value string) {
		_, err := client.KV().Put(&consulapi.KVPair{Key: key, Value: []byte(value)}, nil)
		require.NoError(t, err)
	}
	put("a", "1")
	require.NoError(t, <-ready)
	assert.Equal(t, "1 none", task.read(t, "t/local/keys"))
	assert.Empty(t, task.read(t, "t/local/services"))
	put("b", "2")
	task.becomes(t, "t/local/keys", "1 2")
	require.NoError(t, client.Agent().ServiceRegister(&consulapi.AgentServiceRegistration{Name: "web", Address: "10.0.0.1", Port: 80}))
	task.becomes(t, "t/local/services", "10.0.0.1:80 ")
	require.NoError(t, client.Agent().ServiceDeregister("web"))
	task.becomes(t, "t/local/services", "")
}

func TestFilesAreFollowed(t *testing.T) {
	t.Parallel()
	task := newTask(t, &api.Template{DestPath: new("local/out")})
	file := filepath.Join(task.Dir().Local(), "in")
	task.spec.Templates[0].EmbeddedTmpl = new(`{{ file "` + file + `" }}`)
	require.NoError(t, os.WriteFile(file, []byte("1"), 0o600))
	require.NoError(t, newTemplates(t, Config{}, task).Prestart(t.Context()))
	assert.Equal(t, "1", task.read(t, "t/local/out"))
	require.NoError(t, os.WriteFile(file, []byte("2"), 0o600))
	task.becomes(t, "t/local/out", "2")
}

func TestPrestartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	task := newTask(t, &api.Template{EmbeddedTmpl: new(`{{ with nomadVar "v" }}{{ end }}`), DestPath: new("local/x")})
	templates := newTemplates(t, Config{Nomad: startRegion(t).URL}, task)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, templates.Prestart(ctx), context.Canceled)
}
