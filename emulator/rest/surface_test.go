package rest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/rest"
)

func TestTheSurfaceSaysHowFarEachRouteGoes(t *testing.T) {
	t.Parallel()
	text := rest.Surface("Thing", "1.2.3", []rest.Route[int]{
		{Method: http.MethodPut, Path: "/v1/z/{id...}", Does: rest.Partial, Lacks: "the rest"},
		{Method: http.MethodGet, Path: "/v1/a", Does: rest.Faithful},
		{Method: http.MethodGet, Path: "/v1/b", Lacks: "nobody asks for it"},
	})
	assert.Contains(t, text, "Thing 1.2.3")
	assert.Contains(t, text, "go test ./emulator/thing")
	assert.Contains(t, text, "3 routes: 1 faithful, 1 partial, 1 absent.")
	assert.Contains(t, text, "| GET | `/v1/a` | faithful |  |\n| GET | `/v1/b` | absent | nobody asks for it |\n| PUT | `/v1/z/{id}` | partial | the rest |\n")
}

func TestUnknownRoutesAreCounted(t *testing.T) {
	t.Parallel()
	var unknown rest.Unknown
	assert.Equal(t, 1, unknown.Add("GET /a"))
	assert.Equal(t, 2, unknown.Add("GET /a"))
	for i := range 2000 {
		unknown.Add(fmt.Sprint(i))
	}
	assert.Equal(t, 3, unknown.Add("GET /a"))
	assert.Greater(t, unknown.Add("yet another"), 1000, "what is too many is counted together")
}
