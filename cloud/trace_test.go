package cloud_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/cloud"
)

const traceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestParseTrace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		traceParent: traceParent,
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00":      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff":      traceParent, // of the flags only the one that is known
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":      traceParent,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what": traceParent,
		"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what":  "",
		traceParent + "-what": "",
		traceParent + " ":     "",
		"":                    "",
		"00":                  "",
		"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":  "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01":  "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01":  "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":  "",
		"00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01":  "",
		"00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01":  "",
		"0-04bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01":  "",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n": "",
	} {
		trace := cloud.ParseTrace(text)
		assert.Equal(t, want, trace.String(), text)
		assert.Equal(t, want == "", trace.IsZero(), text)
	}
}

func FuzzParseTrace(f *testing.F) {
	f.Add(traceParent)
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what")
	f.Fuzz(func(t *testing.T, text string) {
		trace := cloud.ParseTrace(text)
		assert.Equal(t, trace, cloud.ParseTrace(trace.String()))
	})
}

func TestATraceGoesOnAndOthersBegin(t *testing.T) {
	t.Parallel()
	trace := cloud.ParseTrace(traceParent)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", trace.ID())
	next := trace.Next()
	assert.Equal(t, trace.ID(), next.ID())
	assert.NotEqual(t, trace, next)
	assert.Equal(t, next, cloud.ParseTrace(next.String()))

	begun, other := cloud.Trace{}.Next(), cloud.Trace{}.Next()
	assert.Equal(t, begun, cloud.ParseTrace(begun.String()))
	assert.NotEqual(t, begun.ID(), other.ID())

	assert.Equal(t, cloud.NamedTrace("objects/1"), cloud.NamedTrace("objects/1"))
	assert.NotEqual(t, cloud.NamedTrace("objects/1").ID(), cloud.NamedTrace("objects/2").ID())
	assert.False(t, cloud.ParseTrace(cloud.NamedTrace("").String()).IsZero())
}

func TestAnEventIsTraced(t *testing.T) {
	t.Parallel()
	none := t.Context()
	assert.True(t, cloud.TraceOf(none).IsZero())
	within := cloud.WithTrace(none, traceParent)
	const own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	for name, test := range map[string]struct {
		ctx         context.Context
		traceParent string
		kept        bool
		id          string // of the trace; empty for any new one
	}{
		"begins":                     {ctx: none},
		"begins for a malformed one": {ctx: none, traceParent: "00-what"},
		"continues":                  {ctx: within, id: "4bf92f3577b34da6a3ce929d0e0e4736"},
		"keeps":                      {ctx: none, traceParent: own, kept: true, id: "0af7651916cd43dd8448eb211c80319c"},
		"keeps within another":       {ctx: within, traceParent: own, kept: true, id: "0af7651916cd43dd8448eb211c80319c"},
	} {
		event := cloud.Event{ID: "1", TraceParent: test.traceParent}
		traced := event.Traced(test.ctx)
		assert.False(t, traced.Trace().IsZero(), name)
		assert.Equal(t, test.kept, traced.TraceParent == test.traceParent, name)
		if test.id != "" {
			assert.Equal(t, test.id, traced.Trace().ID(), name)
		}
		assert.NotEqual(t, traceParent, traced.TraceParent, "%s: a span of its own", name)
	}
}
