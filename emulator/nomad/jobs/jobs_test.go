package jobs_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"
)

// real is the address of a real agent (`nomad agent -dev`) whose answers are to
// be kept in testdata, instead of being compared with what is there.
var real = flag.String("real", "", "address of a real Nomad agent whose answers are to be recorded")

// parallel lets a test run beside others, unless they share the real agent.
func parallel(t *testing.T) {
	t.Helper()
	if *real == "" {
		t.Parallel()
	}
}

// changes are made to the base job: a path such as TaskGroups/0/Count, and the
// value to put there; null removes. An index beyond the end appends.
type changes map[string]any

const base = `{
	"ID": "web", "Datacenters": ["dc1"],
	"TaskGroups": [{
		"Name": "group",
		"Tasks": [{"Name": "task", "Driver": "mock_driver", "Config": {"run_for": "1s"}}]
	}]
}`

// baseWith is the base job with changes, in the JSON that a client sends.
func baseWith(t testing.TB, c changes) []byte {
	t.Helper()
	var job any
	require.NoError(t, json.Unmarshal([]byte(base), &job))
	paths := make([]string, 0, len(c))
	for path := range c {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		job = put(job, strings.Split(path, "/"), c[path])
	}
	text, err := json.Marshal(job)
	require.NoError(t, err)
	return text
}

func put(in any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	switch in := in.(type) {
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil {
			panic("no index: " + path[0])
		}
		if i >= len(in) {
			return append(in, put(nil, path[1:], value))
		}
		in[i] = put(in[i], path[1:], value)
		return in
	case map[string]any:
		if in[path[0]] = put(in[path[0]], path[1:], value); in[path[0]] == nil {
			delete(in, path[0])
		}
		return in
	default:
		if path[0] == "0" {
			return []any{put(nil, path[1:], value)}
		}
		return map[string]any{path[0]: put(nil, path[1:], value)}
	}
}

func decode(t *testing.T, text []byte) *api.Job {
	t.Helper()
	job := new(api.Job)
	require.NoError(t, json.Unmarshal(text, job), "%s", text)
	return job
}

// cases reads those of a file in testdata.
func cases[T any](t *testing.T, name string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	var list []T
	require.NoError(t, json.Unmarshal(text, &list))
	require.NotEmpty(t, list)
	return list
}

// keep writes the cases, one a line, with the answers of the real program.
func keep[T any](t *testing.T, name string, list []T) {
	t.Helper()
	var text bytes.Buffer
	out := json.NewEncoder(&text)
	out.SetEscapeHTML(false)
	for i, c := range list {
		text.WriteString(map[bool]string{true: "[\n", false: ","}[i == 0])
		require.NoError(t, out.Encode(c))
	}
	text.WriteString("]\n")
	require.NoError(t, os.WriteFile(filepath.Join("testdata", name+".json"), text.Bytes(), 0o644))
}

// differences lists where two decoded JSON values differ, by path. An empty list
// is none.
func differences(path string, want, got any) []string {
	if isNone(want) && isNone(got) {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			var all []string
			names := slices.Collect(maps.Keys(want))
			for name := range got {
				if _, ok := want[name]; !ok {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			for _, name := range names {
				all = append(all, differences(path+"/"+name, want[name], got[name])...)
			}
			return all
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			var all []string
			for i := range want {
				all = append(all, differences(path+"/"+strconv.Itoa(i), want[i], got[i])...)
			}
			return all
		}
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	wantText, _ := json.Marshal(want)
	gotText, _ := json.Marshal(got)
	return []string{fmt.Sprintf("%s: want %s, got %s", path, wantText, gotText)}
}

func isNone(v any) bool {
	list, ok := v.([]any)
	return v == nil || ok && len(list) == 0
}

// generic is a value as its JSON has it.
func generic(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var decoded any
	require.NoError(t, json.Unmarshal(text, &decoded))
	return decoded
}

// ask sends a request to the real program.
func ask(t *testing.T, method, path string, body any) (status int, answer string) {
	t.Helper()
	text, err := json.Marshal(body)
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, *real+path, bytes.NewReader(text))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(all)
}
