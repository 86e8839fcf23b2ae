package main

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/drydock/drydock/contract"
)

// A million rules of a hundred thousand owners over ten thousand symbols, each
// of which moves as a stock does, by 0.08 % in a minute.
const (
	ruleCount   = 1_000_000
	ownerCount  = 100_000
	symbolCount = 10_000
	skewCount   = 100_000 // rules on one symbol, when they are skewed
	volatility  = 0.0008
	opening     = 100.0
)

var begin = time.Date(2026, 3, 2, 14, 30, 0, 0, time.UTC)

func symbol(i int) string { return fmt.Sprintf("S%05d", i) }

// makeRules yields rules of all kinds with levels up to a fifth away from the
// opening price, and at least a thousandth.
func makeRules(skewed bool) iter.Seq[contract.Rule] {
	return func(yield func(contract.Rule) bool) {
		random := rand.New(rand.NewPCG(1, 1))
		for i := range ruleCount {
			of := i % symbolCount
			if skewed && i < skewCount {
				of = 0
			}
			away := 0.001 + 0.199*random.Float64()
			level := opening * (1 + away*float64(1-2*random.IntN(2)))
			c := contract.Condition{Price: level, Hysteresis: 1}
			switch kind := random.IntN(100); {
			case kind < 40:
				c.Kind, c.Price = contract.Above, max(level, 2*opening-level)
			case kind < 75:
				c.Kind, c.Price = contract.Below, min(level, 2*opening-level)
			case kind < 85:
				c.Kind = contract.Crosses
			case kind < 95:
				c = contract.Condition{Kind: contract.Change, Percent: 1 + 9*random.Float64(), Window: 300 * (1 + 11*random.IntN(2)), Hysteresis: 1}
				if random.IntN(2) == 0 {
					c.Percent = -c.Percent
				}
			default:
				c = contract.Condition{Kind: contract.Volume, Factor: 2 + 8*random.Float64(), Window: 900, Hysteresis: 1}
			}
			rule := contract.Rule{
				ID: contract.NewUploadID(begin), Owner: fmt.Sprintf("owner-%06d", random.IntN(ownerCount)), Symbol: symbol(of), Condition: c,
				Repeat: random.IntN(2) == 0, CoolDown: 3600, Created: begin.Add(-time.Hour), Changed: begin.Add(-time.Hour),
			}
			if !yield(rule) {
				return
			}
		}
	}
}

// market makes quotes, of one symbol after the other.
type market struct {
	random *rand.Rand
	pause  time.Duration // between two quotes of a symbol
	prices [symbolCount]float64
	names  [symbolCount]string
	count  int
}

func newMarket(pause time.Duration) *market {
	m := &market{random: rand.New(rand.NewPCG(2, 2)), pause: pause}
	for i := range m.prices {
		m.prices[i], m.names[i] = opening, symbol(i)
	}
	return m
}

func (m *market) next() contract.Quote {
	i, turn := m.count%symbolCount, m.count/symbolCount
	m.count++
	m.prices[i] *= 1 + volatility*math.Sqrt(m.pause.Minutes())*m.random.NormFloat64()
	return contract.Quote{
		Symbol: m.names[i],
		Price:  m.prices[i],
		Volume: float64(100 + m.random.IntN(900)),
		Time:   begin.Add(time.Duration(turn)*m.pause + time.Duration(i)*m.pause/symbolCount),
	}
}
