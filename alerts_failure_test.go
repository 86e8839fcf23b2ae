package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules/rulestest"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/emulator/market"
)

const (
	// Between two kills the flow gets on by a random number of quotes: on a slow
	// machine too they hit work, not only workers that are about to begin.
	quotesInBetween = 100 // at most
	killedFor       = 40 * time.Second
	leastKills      = 30
	leastQuotes     = 6000
	// mailsAtOnce is how many mails a mailer may have on their way.
	mailsAtOnce = 16
	// standstill is how long nothing may come while more is expected.
	standstill = time.Minute
)

// The workers of the alerts flow are killed again and again while the market
// goes on. Whatever the moments, each quote is published once and in order,
// each crossing is an alert once, and each alert is mailed.
func TestFailureTheAlertsWorkersAreKilled(t *testing.T) {
	t.Parallel()
	stack, err := emulator.Start(t.Context(), emulator.Options{
		Market: market.Options{Seed: rand.Uint64(), Interval: 40 * time.Millisecond, Rate: -1},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stack.Close()) })
	set := setRules(t, stack)

	names := []string{"quotes", "filter", "mailer"}
	workers := map[string]*worker{}
	for _, name := range names {
		workers[name] = startWorker(t, stack, name)
	}
	published := follow(t, stack.Bus, "quotes.>")
	triggered := follow(t, stack.Bus, contract.TopicAllTriggered)
	grows(t, published.count, 1)

	chance := rand.New(rand.NewPCG(1, 2))
	killed := map[string]int{}
	for began, kills := time.Now(), 0; kills < leastKills || time.Since(began) < killedFor; kills++ {
		grows(t, published.count, published.count()+chance.IntN(quotesInBetween))
		name := names[chance.IntN(len(names))]
		workers[name].kill()
		killed[name]++
	}
	grows(t, published.count, leastQuotes)
	workers["quotes"].stop()

	quotes := requireTheMarketsOwn(t, stack, published.all())
	var expected []string
	for _, rule := range set {
		for _, alert := range rulestest.Expected(rule, quotes[rule.Symbol]) {
			expected = append(expected, alert.ID)
		}
	}
	slices.Sort(expected)
	require.Greater(t, len(expected), 200, "too few crossings to show anything")
	t.Logf("killed: %v, with %d quotes, %d alerts", killed, published.count(), len(expected))

	ids := func(entries []cloud.Entry) (ids []string) {
		for _, entry := range entries {
			ids = append(ids, entry.Event.ID)
		}
		slices.Sort(ids)
		return ids
	}
	grows(t, triggered.count, len(expected))
	mailed := func() map[string]int {
		messages, err := stack.Mail.Messages()
		require.NoError(t, err)
		times := map[string]int{}
		for _, message := range messages {
			alert, _, _ := strings.Cut(strings.Trim(message.MessageID, "<>"), "@")
			times[alert]++
		}
		return times
	}
	grows(t, func() int { return len(mailed()) }, len(expected))
	workers["filter"].stop() // it finishes what it holds: nothing comes after
	workers["mailer"].stop()
	require.Equal(t, expected, ids(triggered.all()))
	times := mailed()
	require.Equal(t, expected, slices.Sorted(maps.Keys(times)))
	twice := 0
	for _, n := range times {
		twice += n - 1
	}
	// A mailer that dies between the server's answer and its own note sends again, by the same Message-ID.
	assert.LessOrEqual(t, twice, mailsAtOnce*killed["mailer"])
}

// grows waits until there is as much as that.
func grows(t *testing.T, count func() int, to int) {
	t.Helper()
	for has := count(); has < to; has = count() {
		poll(t, standstill, func() bool { return count() > has })
	}
}

// setRules sets rules of every kind on every symbol, around its price.
func setRules(t *testing.T, stack *emulator.Stack) (set []contract.Rule) {
	t.Helper()
	records, err := stack.Records(t.Context(), contract.AlertsCollection)
	require.NoError(t, err)
	defer records.Close()
	chance := rand.New(rand.NewPCG(3, 4))
	changed := time.Now().Add(-time.Second).UTC()
	for _, symbol := range stack.Market.Symbols() {
		price := lastPrice(t, stack, symbol.Symbol)
		for i := range 20 {
			level := price * (1 + (chance.Float64()-.5)/50)
			condition := []contract.Condition{
				{Kind: contract.Above, Price: level},
				{Kind: contract.Below, Price: level, Hysteresis: price / 1000},
				{Kind: contract.Crosses, Price: level},
				{Kind: contract.Change, Percent: (chance.Float64() - .5) + .01, Window: 1 + chance.IntN(10)},
				{Kind: contract.Volume, Factor: 1 + chance.Float64(), Window: 1 + chance.IntN(10), Hysteresis: .3},
			}[i%5]
			rule := contract.Rule{
				ID: contract.NewUploadID(time.Now()), Owner: "demo", Symbol: symbol.Symbol, Condition: condition,
				Repeat: chance.IntN(4) > 0, CoolDown: chance.IntN(8),
				Channel: contract.Channel{Kind: contract.Email, Address: fmt.Sprintf("%s-%d@drydock.example", strings.ToLower(symbol.Symbol), i)},
				Created: changed, Changed: changed,
			}
			require.NoError(t, rule.Check())
			value, err := json.Marshal(rule)
			require.NoError(t, err)
			_, err = records.Put(t.Context(), contract.RecordKey(rule.Owner, rule.ID), value, 0, 0)
			require.NoError(t, err)
			set = append(set, rule)
		}
	}
	return set
}

func lastPrice(t *testing.T, stack *emulator.Stack, symbol string) float64 {
	t.Helper()
	now := time.Now()
	quotes, err := stack.Market.History([]string{symbol}, now.Add(-10*time.Second), now)
	require.NoError(t, err)
	require.NotEmpty(t, quotes)
	return quotes[len(quotes)-1].Price
}

// requireTheMarketsOwn checks that what was published of each symbol is what
// the market had from the first quote on, each once and in order.
func requireTheMarketsOwn(t *testing.T, stack *emulator.Stack, published []cloud.Entry) map[string][]contract.Quote {
	t.Helper()
	quotes := map[string][]contract.Quote{}
	for _, entry := range published {
		quote, err := contract.ParseQuote(entry.Event.Data)
		require.NoError(t, err)
		quotes[quote.Symbol] = append(quotes[quote.Symbol], quote)
	}
	require.Len(t, quotes, len(stack.Market.Symbols()))
	for symbol, got := range quotes {
		had, err := stack.Market.History([]string{symbol}, got[0].Time.Add(-1), got[len(got)-1].Time)
		require.NoError(t, err)
		require.Equal(t, had, got, symbol)
	}
	return quotes
}

// followed is what has come on a topic.
type followed struct {
	mu      sync.Mutex
	entries []cloud.Entry
}

func (f *followed) add(entry cloud.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, entry)
}

func (f *followed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.entries)
}

func (f *followed) all() []cloud.Entry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.entries)
}

// follow reads a topic from its beginning until the test ends.
func follow(t *testing.T, bus cloud.Bus, topic string) *followed {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var f followed
	var reading sync.WaitGroup
	reading.Go(func() {
		for entry, err := range bus.Read(ctx, topic, cloud.Start{}) {
			if !assert.NoError(t, err) {
				return
			}
			f.add(entry)
		}
	})
	t.Cleanup(func() { cancel(); reading.Wait() })
	return &f
}

// worker is a role in a process of its own that is started again whenever it ends.
type worker struct {
	t    *testing.T
	name string
	env  []string

	mu      sync.Mutex
	process *os.Process
	stopped bool
	ended   chan struct{}
}

func startWorker(t *testing.T, stack *emulator.Stack, name string) *worker {
	t.Helper()
	w := &worker{t: t, name: name, ended: make(chan struct{}), env: append(os.Environ(),
		"DRYDOCK_BUS="+stack.NATSURL(),
		"DRYDOCK_MARKET="+stack.Market.URL(),
		"DRYDOCK_MAIL="+stack.Mail.SMTPURL(),
		"DRYDOCK_MAIL_FROM=alerts@drydock.example",
		"DRYDOCK_PUBLIC_URL=http://127.0.0.1:1",
		"DRYDOCK_UNSUBSCRIBE_KEY=a key that only tests have",
		"DRYDOCK_DIGEST_AFTER=1000",
		"DRYDOCK_EVERY=1s",
		"DRYDOCK_INSTANCE=only",
		"DRYDOCK_LISTEN=127.0.0.1:0",
	)}
	program := filepath.Join(programs(t), "drydock")
	go func() {
		defer close(w.ended)
		for w.once(program) {
		}
	}()
	t.Cleanup(w.stop)
	return w
}

// once runs the process until its end; false when there is to be no other.
func (w *worker) once(program string) bool {
	command := exec.Command(program, w.name)
	command.Env = w.env
	var said output
	command.Stderr = &said
	w.mu.Lock()
	if w.stopped {
		w.mu.Unlock()
		return false
	}
	err := command.Start()
	w.process = command.Process
	w.mu.Unlock()
	if !assert.NoError(w.t, err) {
		return false
	}
	err = command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		assert.Fail(w.t, "the worker ended by itself", "%s: %v\n%s", w.name, err, said.String())
		return false
	}
	return true
}

// kill ends the process as kill -9 does.
func (w *worker) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.process != nil {
		_ = w.process.Kill() // it may just have been
	}
}

// stop has the process drain, and waits for its end.
func (w *worker) stop() {
	w.mu.Lock()
	w.stopped = true
	if w.process != nil {
		_ = w.process.Signal(os.Interrupt) // it may have ended
	}
	w.mu.Unlock()
	<-w.ended
}
