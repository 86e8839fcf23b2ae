package client

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
	"github.com/zclconf/go-cty/cty"

	taskenv "github.com/drydock/drydock/emulator/nomad/client/environment"
)

func testSchema() hcldec.Spec {
	return hcldec.ObjectSpec{
		"command": &hcldec.AttrSpec{Name: "command", Type: cty.String, Required: true},
		"args":    &hcldec.AttrSpec{Name: "args", Type: cty.List(cty.String)},
		"count":   &hcldec.AttrSpec{Name: "count", Type: cty.Number},
	}
}

func testEnv() taskenv.Env {
	return taskenv.New(
		map[string]string{"NOMAD_PORT_http": "8080", "HOME": "/root", "node": "variable"},
		map[string]string{"attr.cpu.arch": "amd64", "attr.driver.docker": "1", "attr.driver.docker.version": "2", "meta.zone": "a", "node.unique.name": "n"},
	)
}

func TestDecodeTaskConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config map[string]any
		want   string
		fails  string
	}{
		"plain":       {map[string]any{"command": "x"}, `{"args":null,"command":"x","count":null}`, ""},
		"converted":   {map[string]any{"command": 1, "args": []any{2, true, "z"}, "count": "3"}, `{"args":["2","true","z"],"command":"1","count":3}`, ""},
		"references":  {map[string]any{"command": "${attr.cpu.arch}-${meta.zone}-${NOMAD_PORT_http}-${node.unique.name}"}, `{"args":null,"command":"amd64-a-8080-n","count":null}`, ""},
		"indexed":     {map[string]any{"command": `${env["HOME"]} ${attr["cpu"]["arch"]}`}, `{"args":null,"command":"/root amd64","count":null}`, ""},
		"calculated":  {map[string]any{"command": "${NOMAD_PORT_http + 1}"}, `{"args":null,"command":"8081","count":null}`, ""},
		"leaf first":  {map[string]any{"command": "${attr.driver.docker}"}, `{"args":null,"command":"1","count":null}`, ""},
		"shell's own": {map[string]any{"command": "$HOME $${HOME}"}, `{"args":null,"command":"$HOME ${HOME}","count":null}`, ""},
		"unknown":     {map[string]any{"command": "${nothing}"}, "", `Unknown variable: There is no variable named "nothing".`},
		"no port":     {map[string]any{"command": "${NOMAD_PORT_x}"}, "", `2 errors occurred:`},
		"not closed":  {map[string]any{"command": "${HOME"}, "", "failed to parse config"},
		"missing":     {nil, "", `Missing required argument: The argument "command" is required, but no definition was found.`},
		"other":       {map[string]any{"command": "x", "y": 1}, "", `Invalid label: No argument or block type is named "y".`},
		"of no kind":  {map[string]any{"command": "x", "count": "many"}, "", "a number is required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, constant, err := decodeTaskConfig(c.config, testSchema(), testEnv())
			if c.fails != "" {
				require.ErrorContains(t, err, c.fails)
				return
			}
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(got))
			require.Equal(t, !strings.Contains(strings.ReplaceAll(fmt.Sprint(c.config), "$${", ""), "${"), constant)
		})
	}
}

func TestConfigsOfALargeJobAreDecodedOnce(t *testing.T) {
	t.Parallel()
	cache := new(configCache)
	for _, text := range []string{"constant", "${meta.zone}", "constant"} {
		spec := &api.Task{Config: map[string]any{"command": text}}
		first, err := cache.decode(spec, testSchema(), testEnv())
		require.NoError(t, err)
		again, err := cache.decode(spec, testSchema(), testEnv())
		require.NoError(t, err)
		require.JSONEq(t, string(first), string(again))
		require.Equal(t, text == "constant", cache.spec == spec)
	}
	_, err := cache.decode(&api.Task{}, testSchema(), testEnv())
	require.ErrorContains(t, err, "Missing required argument")
}

func FuzzDecodeTaskConfig(f *testing.F) {
	for _, seed := range []string{"x", "${HOME}", "${", "$${x}", `${env["HOME"]}`, "${attr.cpu}", "%{ if true }x%{ endif }", "${[for a in [1]: a]}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := decodeTaskConfig(map[string]any{"command": text}, testSchema(), testEnv())
		if err == nil {
			require.True(t, json.Valid(got))
		}
	})
}
