package alerts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

func TestTheTracesOfTheLastQuotesAreKnown(t *testing.T) {
	t.Parallel()
	var r recent
	opening := time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)
	at := func(number int) time.Time { return opening.Add(time.Duration(number) * time.Second) }
	trace := func(number int) string { return cloud.NamedTrace(at(number).String()).String() }
	found := func(symbol string, number int) string {
		return r.traceOf(contract.Alert{Symbol: symbol, Time: at(number)})
	}
	assert.Zero(t, found("ACME", 0))
	for number := range 3*remembered + 7 {
		r.add(contract.Quote{Symbol: "ACME", Time: at(number)}, trace(number))
		oldest := max(0, number-remembered+1)
		assert.Equal(t, trace(number), found("ACME", number))
		assert.Equal(t, trace(oldest), found("ACME", oldest))
		if oldest > 0 {
			assert.Zero(t, found("ACME", oldest-1))
		}
	}
	assert.Zero(t, found("OTHER", 3*remembered), "of another symbol")
}
