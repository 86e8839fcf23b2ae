package rules_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules"
)

var opening = time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)

// second is a moment of the day that the tests are about.
func second(s int) time.Time { return opening.Add(time.Duration(s) * time.Second) }

// quotesOf makes quotes of ACME, a second apart.
func quotesOf(prices ...float64) (quotes []contract.Quote) {
	for i, price := range prices {
		quotes = append(quotes, contract.Quote{Symbol: "ACME", Price: price, Volume: 1, Time: second(i + 1)})
	}
	return quotes
}

func sequence(quotes []contract.Quote) iter.Seq2[contract.Quote, error] {
	return func(yield func(contract.Quote, error) bool) {
		for _, q := range quotes {
			if !yield(q, nil) {
				return
			}
		}
	}
}

func ruleOf(c contract.Condition) contract.Rule {
	return contract.Rule{ID: contract.NewUploadID(opening), Owner: "ann", Symbol: "ACME", Condition: c, Repeat: true}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	above := ruleOf(contract.Condition{Kind: contract.Above, Price: 10})
	with := func(r contract.Rule, change func(*contract.Rule)) contract.Rule {
		change(&r)
		return r
	}
	for _, test := range []struct {
		name   string
		rule   contract.Rule
		prices []float64
		fires  []int // the quotes' numbers, from 1
	}{
		{"above fires at once where it is met", above, []float64{10, 11, 9.9, 10}, []int{1, 4}},
		{"above with hysteresis", ruleOf(contract.Condition{Kind: contract.Above, Price: 10, Hysteresis: 1}), []float64{10, 9.5, 10, 9, 10}, []int{1, 5}},
		{"below", ruleOf(contract.Condition{Kind: contract.Below, Price: 10}), []float64{11, 10, 9, 10, 10.5, 10}, []int{2, 6}},
		{"below with hysteresis", ruleOf(contract.Condition{Kind: contract.Below, Price: 10, Hysteresis: 1}), []float64{10, 10.5, 10, 11, 9}, []int{1, 5}},
		{"crosses needs a side first", ruleOf(contract.Condition{Kind: contract.Crosses, Price: 10}), []float64{10, 11, 10, 9, 10, 9, 11}, []int{4, 7}},
		{"crosses with a band", ruleOf(contract.Condition{Kind: contract.Crosses, Price: 10, Hysteresis: 1}), []float64{10.5, 9, 10.5, 11, 9.5, 9}, []int{4, 6}},
		{"change", ruleOf(contract.Condition{Kind: contract.Change, Percent: 10, Window: 2}), []float64{100, 200, 110, 210, 100, 231}, []int{3, 6}},
		{"fall", ruleOf(contract.Condition{Kind: contract.Change, Percent: -10, Window: 1}), []float64{100, 90, 81, 81, 70}, []int{2, 5}},
		{"once", with(above, func(r *contract.Rule) { r.Repeat = false }), []float64{10, 9, 10}, []int{1}},
		{"cool-down", with(above, func(r *contract.Rule) { r.CoolDown = 4 }), []float64{10, 9, 10, 9, 10, 9, 10}, []int{1, 5}},
		{"a crossing in the cool-down passes", with(above, func(r *contract.Rule) { r.CoolDown = 3 }), []float64{10, 9, 10, 10, 10, 10}, []int{1}},
		{"expiry", with(above, func(r *contract.Rule) { r.Expires = second(3) }), []float64{10, 9, 10, 9, 10}, []int{1}},
		{"paused and set later, it would have fired all the same", with(above, func(r *contract.Rule) { r.Paused, r.Changed = true, second(100) }), []float64{10}, []int{1}},
		{"hours", with(above, func(r *contract.Rule) {
			r.Active = &contract.Hours{Days: []string{"mon"}, From: "14:00", To: "14:01", TimeZone: "UTC"}
		}), []float64{10, 9, 10}, []int{1, 3}},
		{"outside of the hours", with(above, func(r *contract.Rule) {
			r.Active = &contract.Hours{Days: []string{"tue"}, From: "14:00", To: "14:01", TimeZone: "UTC"}
		}), []float64{10, 9, 10}, nil},
		{"another symbol", with(above, func(r *contract.Rule) { r.Symbol = "OTHER" }), []float64{10}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			alerts, err := rules.DryRun(test.rule, sequence(quotesOf(test.prices...)))
			require.NoError(t, err)
			var fires []int
			for _, a := range alerts {
				assert.Equal(t, contract.AlertID(test.rule.ID, a.Time), a.ID)
				fires = append(fires, int(a.Time.Sub(opening)/time.Second))
			}
			assert.Equal(t, test.fires, fires)
		})
	}
}

func TestVolumeIsHeldAgainstItsMean(t *testing.T) {
	t.Parallel()
	quotes := quotesOf(1, 1, 1, 1, 1, 1, 1)
	for i, volume := range []float64{1000, 2, 4, 9, 0, 0, 5} {
		quotes[i].Volume = volume
	}
	rule := ruleOf(contract.Condition{Kind: contract.Volume, Factor: 3, Window: 3})
	alerts, err := rules.DryRun(rule, sequence(quotes))
	require.NoError(t, err)
	require.Len(t, alerts, 1)
	assert.Equal(t, second(4), alerts[0].Time, "the mean of 2 and 4; later that of 9 and 0, and of 0 and 0 there is none")
	assert.Equal(t, 3.0, alerts[0].Value)
	assert.Equal(t, 3.0, alerts[0].Level)
}

func TestAnErrorOfTheQuotesEndsADryRun(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	_, err := rules.DryRun(ruleOf(contract.Condition{Kind: contract.Above, Price: 1}), func(yield func(contract.Quote, error) bool) {
		yield(contract.Quote{}, broken)
	})
	require.ErrorIs(t, err, broken)
	_, err = rules.DryRun(ruleOf(contract.Condition{Kind: "sideways"}), sequence(nil))
	require.ErrorContains(t, err, `condition kind "sideways"`)
}

func TestAnOldQuoteFiresNothing(t *testing.T) {
	t.Parallel()
	engine := rules.New(time.Minute)
	_, err := engine.Put(nil, ruleOf(contract.Condition{Kind: contract.Above, Price: 10}))
	require.NoError(t, err)
	engine.Resume(nil)
	now := time.Now()
	quote := func(price float64, age time.Duration) contract.Quote {
		return contract.Quote{Symbol: "ACME", Price: price, Time: now.Add(-age)}
	}
	assert.Empty(t, engine.Evaluate(nil, quote(10, time.Hour), 1))
	assert.Empty(t, engine.Evaluate(nil, quote(10, 3*time.Second), 2), "it was met before")
	assert.Empty(t, engine.Evaluate(nil, quote(9, 2*time.Second), 3))
	assert.Len(t, engine.Evaluate(nil, quote(10, time.Second), 4), 1)
}

func TestRulesOfAnyName(t *testing.T) {
	t.Parallel()
	engine := rules.New(0)
	engine.Resume(nil)
	for _, id := range []string{"one", "drydock-0000000000000000", "0000000000000000000000\n0", contract.NewUploadID(opening)} {
		rule := ruleOf(contract.Condition{Kind: contract.Above, Price: 10})
		rule.ID, rule.Repeat = id, false
		_, err := engine.Put(nil, rule)
		require.NoError(t, err)
	}
	alerts := engine.Evaluate(nil, quotesOf(10)[0], 1)
	require.Len(t, alerts, 4)
	for _, a := range alerts {
		assert.Equal(t, contract.AlertID(a.Rule, a.Time), a.ID)
		engine.Remove(a.Rule)
	}
	assert.Zero(t, engine.Len())
	engine.Remove("missing")
}

func TestWhatIsNotOfTheFormatIsRefused(t *testing.T) {
	t.Parallel()
	engine := rules.New(0)
	for _, value := range [][]byte{nil, {}, {9}, {1, 2}, make([]byte, 41)} {
		assert.Error(t, engine.Restore(value), "%x", value)
		assert.Error(t, engine.RestoreWindow("ACME", value), "%x", value)
	}
}

// world draws rules and quotes, and plays them to an engine that is lost now
// and then, with what it kept for the next one.
type world struct {
	*rapid.T
	engine   *rules.Engine
	quotes   []contract.Quote
	now      int // seconds
	current  map[string]contract.Rule
	versions []version
	alerts   map[string]contract.Alert

	kept           map[string]rules.Kept
	position, need uint64      // of the last checkpoint
	removed        map[int]int // an ID never comes again
}

var symbols = []string{"ACME", "BETA"}

func (w *world) rule(id string) contract.Rule {
	r := contract.Rule{
		ID: id, Owner: "ann",
		Symbol:   rapid.SampledFrom(symbols).Draw(w.T, "symbol"),
		Repeat:   rapid.IntRange(0, 3).Draw(w.T, "repeat") > 0,
		CoolDown: rapid.SampledFrom([]int{0, 0, 3, 20}).Draw(w.T, "cool-down"),
		Paused:   rapid.IntRange(0, 9).Draw(w.T, "paused") == 0,
		Changed:  second(w.now + rapid.IntRange(-5, 5).Draw(w.T, "changed")),
	}
	c := &r.Condition
	c.Kind = rapid.SampledFrom([]string{contract.Above, contract.Below, contract.Crosses, contract.Change, contract.Volume}).Draw(w.T, "kind")
	c.Hysteresis = rapid.SampledFrom([]float64{0, 0, 0.5, 2}).Draw(w.T, "hysteresis")
	switch c.Kind {
	case contract.Change:
		c.Percent = rapid.SampledFrom([]float64{-20, -5, -1, 1, 10}).Draw(w.T, "percent")
	case contract.Volume:
		c.Factor = rapid.SampledFrom([]float64{0.5, 1, 1.5, 3}).Draw(w.T, "factor")
	default:
		c.Price = float64(rapid.IntRange(16, 24).Draw(w.T, "level")) / 2
	}
	if c.Price == 0 {
		c.Window = rapid.SampledFrom([]int{1, 4, 15, 40}).Draw(w.T, "window")
	}
	if rapid.IntRange(0, 4).Draw(w.T, "hours") == 0 {
		r.Active = &contract.Hours{From: "14:01", To: "14:03", TimeZone: "UTC"}
	}
	if rapid.IntRange(0, 4).Draw(w.T, "expires") == 0 {
		r.Expires = second(w.now + 30)
	}
	return r
}

// setRule makes a rule, or changes one.
func (w *world) setRule(t *rapid.T) {
	w.T = t
	slot := rapid.IntRange(0, 11).Draw(w.T, "rule")
	id := fmt.Sprintf("rule-%d-%d", slot, w.removed[slot])
	if old, ok := w.current[id]; ok {
		w.versions = append(w.versions, version{old, len(w.quotes)})
	}
	r := w.rule(id)
	if old, ok := w.current[id]; ok {
		if !r.Changed.After(old.Changed) {
			r.Changed = old.Changed.Add(time.Second)
		}
		r.Symbol = old.Symbol
	}
	w.current[id] = r
	alerts, err := w.engine.Put(nil, r)
	require.NoError(w, err)
	w.note(alerts)
}

func (w *world) removeRule(t *rapid.T) {
	w.T = t
	if len(w.current) == 0 {
		return
	}
	id := rapid.SampledFrom(slices.Sorted(maps.Keys(w.current))).Draw(w.T, "remove")
	var slot int
	_, err := fmt.Sscanf(id, "rule-%d-", &slot)
	require.NoError(w, err)
	w.removed[slot]++
	w.versions = append(w.versions, version{w.current[id], len(w.quotes)})
	delete(w.current, id)
	w.engine.Remove(id)
}

// quote plays some: most are new, some come twice or late.
func (w *world) quote(t *rapid.T) {
	w.T = t
	for range rapid.IntRange(1, 8).Draw(w.T, "quotes") {
		w.now += rapid.SampledFrom([]int{0, 1, 1, 1, 2, 7}).Draw(w.T, "pause")
		q := contract.Quote{
			Symbol: rapid.SampledFrom(symbols).Draw(w.T, "of"),
			Price:  float64(rapid.IntRange(14, 26).Draw(w.T, "price")) / 2,
			Volume: float64(rapid.IntRange(0, 12).Draw(w.T, "volume")) / 4,
			Time:   second(w.now - rapid.SampledFrom([]int{0, 0, 0, 0, 3}).Draw(w.T, "late")),
		}
		w.quotes = append(w.quotes, q)
		w.note(w.engine.Evaluate(nil, q, uint64(len(w.quotes))))
	}
}

func (w *world) note(alerts []contract.Alert) {
	for _, a := range alerts {
		w.alerts[a.ID] = a
	}
}

// keep writes a checkpoint, or only some of it, as if the engine were lost then.
func (w *world) keep(whole bool) {
	write := func(kind string, k rules.Kept) bool {
		if !whole && rapid.Bool().Draw(w.T, "lost") {
			return false
		}
		w.kept[kind+k.Symbol+k.Name] = k
		return true
	}
	position := uint64(len(w.quotes))
	for k := range w.engine.States() {
		if !write("state ", k) {
			return
		}
	}
	for k := range w.engine.Windows(position - min(position, 6)) {
		if !write("window ", k) {
			return
		}
	}
	if whole {
		w.position, w.need = position, w.engine.Need(position+1)
	}
}

// lose makes a new engine of what was kept.
func (w *world) lose(t *rapid.T) {
	w.T = t
	if rapid.Bool().Draw(w.T, "in the middle of a checkpoint") {
		w.keep(false)
	}
	if rapid.Bool().Draw(w.T, "the same engine") {
		w.engine.Reset()
	} else {
		w.engine = rules.New(0)
		for _, r := range w.current {
			_, err := w.engine.Put(nil, r)
			require.NoError(w, err)
		}
	}
	for name, k := range w.kept {
		if name[0] == 's' {
			require.NoError(w, w.engine.Restore(k.Value))
		} else {
			require.NoError(w, w.engine.RestoreWindow(k.Symbol, k.Value))
		}
	}
	for at := w.need; at <= w.position; at++ {
		if at > 0 {
			w.engine.Replay(w.quotes[at-1], at)
		}
	}
	w.note(w.engine.Resume(nil))
	for at := w.position + 1; at <= uint64(len(w.quotes)); at++ {
		w.note(w.engine.Evaluate(nil, w.quotes[at-1], at))
	}
}

func TestTheEngineFindsWhatTheModelFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := &world{T: t, engine: rules.New(0), current: map[string]contract.Rule{}, alerts: map[string]contract.Alert{}, kept: map[string]rules.Kept{}, removed: map[int]int{}, need: 1}
		w.engine.Resume(nil)
		for range 6 {
			w.setRule(t)
		}
		t.Repeat(map[string]func(*rapid.T){
			"set":    w.setRule,
			"remove": w.removeRule,
			"quote":  w.quote, "quote again": w.quote, "quote more": w.quote,
			"keep": func(t *rapid.T) { w.T = t; w.keep(true) },
			"lose": w.lose,
		})
		versions := w.versions
		for _, r := range w.current {
			versions = append(versions, version{r, len(w.quotes)})
		}
		require.Equal(t, expected(versions, w.quotes), w.alerts)
	})
}
