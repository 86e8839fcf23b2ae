package jobs_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type validateCase struct {
	Case     string   `json:"case"`
	Set      changes  `json:"set"`
	Errors   []string `json:"errors,omitempty"`
	Warnings string   `json:"warnings,omitempty"`
	// Refused is the answer to registering the job when that is not Errors.
	Refused string `json:"refused,omitempty"`
}

func TestValidateInTheWordsOfTheRealProgram(t *testing.T) {
	parallel(t)
	files, err := os.ReadDir("testdata/validate")
	require.NoError(t, err)
	for _, file := range files {
		name := "validate/" + strings.TrimSuffix(file.Name(), ".json")
		t.Run(name, func(t *testing.T) { validates(t, name) })
	}
}

// hasNodePool tells of the pools that a fresh cluster has.
func hasNodePool(name string) bool { return name == "default" || name == "all" }

func validates(t *testing.T, name string) {
	list := cases[validateCase](t, name)
	for i := range list {
		c := &list[i]
		t.Run(c.Case, func(t *testing.T) {
			text := baseWith(t, c.Set)
			if *real != "" {
				validated(t, text, c)
			}
			job := decode(t, text)
			jobs.Canonicalize(job)
			errors, warnings := jobs.Validate(job, jobs.Cluster{HasNodePool: hasNodePool})
			assert.Equal(t, c.Errors, errors)
			assert.Equal(t, c.Warnings, jobs.Warnings(warnings))
		})
	}
	if *real != "" {
		keep(t, name, list)
	}
}

func validated(t *testing.T, text []byte, c *validateCase) {
	t.Helper()
	status, answer := ask(t, http.MethodPut, "/v1/validate/job", map[string]json.RawMessage{"Job": text})
	require.Equal(t, http.StatusOK, status, answer)
	var response struct {
		ValidationErrors []string
		Error, Warnings  string
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &response))
	c.Errors, c.Warnings, c.Refused = response.ValidationErrors, response.Warnings, ""
	status, answer = ask(t, http.MethodPut, "/v1/jobs", map[string]json.RawMessage{"Job": text})
	switch {
	case status != http.StatusOK && answer != response.Error:
		c.Refused = answer
	case status == http.StatusOK:
		require.Empty(t, c.Errors, "it was registered all the same")
		status, answer = ask(t, http.MethodDelete, "/v1/job/"+url.PathEscape(*decode(t, text).ID)+"?purge=true", nil)
		require.Equal(t, http.StatusOK, status, answer)
	}
}
