package checks

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What the running agent answered to the same definitions.
func TestValidate(t *testing.T) {
	t.Parallel()
	const every = 10 * time.Second
	for name, c := range map[string]struct {
		d    Definition
		want error
	}{
		"nothing":                       {Definition{}, errTTL},
		"interval alone":                {Definition{Interval: every}, errTTL},
		"no interval":                   {Definition{HTTP: "http://x"}, errInterval},
		"negative interval":             {Definition{TCP: "x:1", Interval: -1}, errInterval},
		"short interval":                {Definition{TCP: "x:1", Interval: 1}, nil},
		"script without interval":       {Definition{ScriptArgs: []string{"true"}}, errInterval},
		"OS service without interval":   {Definition{OSService: "x"}, errInterval},
		"container without script":      {Definition{DockerContainerID: "x", Interval: every}, errTTL},
		"targets are not read":          {Definition{HTTP: "::", TCP: "no port", Interval: every}, nil},
		"TTL":                           {Definition{TTL: 1}, nil},
		"negative TTL":                  {Definition{TTL: -1}, errTTL},
		"TTL and interval":              {Definition{TTL: 1, Interval: every}, errIntervalTTL},
		"TTL for what needs interval":   {Definition{TTL: 1, HTTP: "http://x"}, errInterval},
		"alias of a node":               {Definition{AliasNode: "x"}, nil},
		"alias with interval":           {Definition{AliasNode: "x", AliasService: "y", Interval: every}, nil},
		"alias with target":             {Definition{AliasService: "y", HTTP: "http://x", Interval: every}, errAliasInterval},
		"alias with TTL":                {Definition{AliasNode: "x", TTL: 1}, errAliasTTL},
		"negative output":               {Definition{TTL: 1, OutputMaxSize: -1}, errOutputMaxSize},
		"more output than is kept":      {Definition{TTL: 1, OutputMaxSize: 5000}, nil},
		"warning after critical":        {Definition{TTL: 1, FailuresBeforeWarning: 4, FailuresBeforeCritical: 3}, errThresholds},
		"warning without critical":      {Definition{TTL: 1, FailuresBeforeWarning: 4}, errThresholds},
		"negative critical":             {Definition{TTL: 1, FailuresBeforeCritical: -1}, errThresholds},
		"negative warning and success":  {Definition{TTL: 1, FailuresBeforeWarning: -1, SuccessBeforePassing: -1}, nil},
		"status":                        {Definition{TTL: 1, Status: "passing"}, nil},
		"no status of a check":          {Definition{TTL: 1, Status: "weird"}, ErrStatus},
		"a status that agents set only": {Definition{TTL: 1, Status: "maintenance"}, ErrStatus},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.d.Validate())
		})
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	script := []string{"true"}
	for want, d := range map[string]Definition{
		TypeTTL:       {TTL: 1},
		TypeHTTP:      {HTTP: "http://x", TCP: "x:1", ScriptArgs: script},
		TypeTCP:       {TCP: "x:1", UDP: "x:1"},
		TypeUDP:       {UDP: "x:1", GRPC: "x:1"},
		TypeGRPC:      {GRPC: "x:1", OSService: "x"},
		TypeDocker:    {DockerContainerID: "x", ScriptArgs: script, OSService: "x"},
		TypeOSService: {OSService: "x", ScriptArgs: script},
		TypeScript:    {ScriptArgs: script, H2PING: "x:1"},
		TypeH2Ping:    {H2PING: "x:1"},
		TypeAlias:     {AliasService: "x", HTTP: "http://x"},
	} {
		assert.Equal(t, want, d.Type())
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "critical", Definition{}.InitialStatus())
	assert.Equal(t, "warning", Definition{Status: "warning"}.InitialStatus())
	assert.Equal(t, time.Second, Definition{Interval: 1}.pollInterval())
	assert.Equal(t, 10*time.Second, Definition{TCP: "x", Timeout: -1}.probeTimeout())
	assert.Equal(t, 30*time.Second, Definition{ScriptArgs: []string{"true"}}.probeTimeout())
	assert.Equal(t, 4096, Definition{OutputMaxSize: 9000}.outputLimit())
}
