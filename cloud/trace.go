package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Trace is a place in a trace, as W3C Trace Context
// (https://www.w3.org/TR/trace-context/) has it: all that follows from one
// beginning shares the ID of its trace, and each event is a span of it. The
// zero Trace is none.
type Trace struct {
	id      [16]byte
	span    [8]byte
	sampled bool
}

const (
	traceVersion   = "00"
	sampledFlag    = 0x01
	traceParentLen = len("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
)

// ParseTrace reads a traceparent. A malformed one is the zero Trace: whoever
// meets it begins a trace anew, as the recommendation asks.
func ParseTrace(traceParent string) Trace {
	head, more := traceParent, ""
	if len(head) > traceParentLen { // later versions may say more
		head, more = head[:traceParentLen], head[traceParentLen:]
	}
	if len(head) < traceParentLen || head[2] != '-' || head[35] != '-' || head[52] != '-' ||
		more != "" && (head[:2] == traceVersion || more[0] != '-') || strings.ToLower(head) != head {
		return Trace{}
	}
	var t Trace
	var version, flags [1]byte
	if !decodeHex(version[:], head[:2]) || !decodeHex(t.id[:], head[3:35]) || !decodeHex(t.span[:], head[36:52]) || !decodeHex(flags[:], head[53:]) {
		return Trace{}
	}
	if version[0] == 0xff || t.id == [16]byte{} || t.span == [8]byte{} {
		return Trace{}
	}
	t.sampled = flags[0]&sampledFlag != 0
	return t
}

func decodeHex(into []byte, text string) bool {
	_, err := hex.Decode(into, []byte(text))
	return err == nil
}

// NamedTrace is the trace that a name begins: for the same name the same. It
// is for events that come without a trace and are seen more than once.
func NamedTrace(name string) Trace {
	t := Trace{sampled: true}
	sum := sha256.Sum256([]byte(name))
	copy(t.span[:], sum[copy(t.id[:], sum[:]):])
	return t
}

// Next is a new span of the same trace; of the zero Trace, the first span of a
// new trace.
func (t Trace) Next() Trace {
	if t.IsZero() {
		rand.Read(t.id[:])
		t.sampled = true
	}
	rand.Read(t.span[:])
	return t
}

// IsZero tells that there is no trace.
func (t Trace) IsZero() bool { return t == Trace{} }

// ID is the trace's, as logs show it: 32 hexadecimal digits.
func (t Trace) ID() string { return hex.EncodeToString(t.id[:]) }

// String is the traceparent; empty for the zero Trace.
func (t Trace) String() string {
	if t.IsZero() {
		return ""
	}
	text := []byte(traceVersion + "-" + "00000000000000000000000000000000" + "-" + "0000000000000000" + "-00")
	hex.Encode(text[3:35], t.id[:])
	hex.Encode(text[36:52], t.span[:])
	if t.sampled {
		text[len(text)-1] = '0' + sampledFlag
	}
	return string(text)
}

type traceKey struct{}

// WithTrace returns a context for work that follows from a span, which its
// traceparent names: what is published with it continues the trace.
func WithTrace(ctx context.Context, traceParent string) context.Context {
	return context.WithValue(ctx, traceKey{}, traceParent)
}

// TraceOf is the trace that the context's work continues; zero when there is none.
func TraceOf(ctx context.Context) Trace {
	traceParent, _ := ctx.Value(traceKey{}).(string)
	return ParseTrace(traceParent)
}
