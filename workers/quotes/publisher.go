package quotes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// How the worker signs its events.
const (
	source    = "/drydock/quotes"
	typeQuote = "dev.drydock.quotes.quote"
)

const (
	positionsPrefix = "positions"
	queued          = 256   // quotes that wait for one lane
	saveEvery       = 1_000 // quotes of one lane, so that a crash costs no more than that
)

// publisher publishes the quotes of one poll: those of different partitions
// at once, those of one in the order in which they are given.
type publisher struct {
	*Worker
	ctx   context.Context // ends at the first failure
	fail  context.CancelCauseFunc
	lanes [contract.QuotePartitions]*lane
	group sync.WaitGroup
}

// lane is one partition. Once it runs, positions is its goroutine's own.
type lane struct {
	key       string
	revision  uint64
	positions map[string]time.Time // of what was published last, by symbol
	known     map[string]time.Time // the same as it was when the poll began
	quotes    chan contract.Quote
}

// newPublisher reads the positions. The caller closes the publisher.
func (w *Worker) newPublisher(ctx context.Context) (*publisher, error) {
	p := &publisher{Worker: w}
	for i := range p.lanes {
		p.lanes[i] = &lane{
			key:       positionKey(i),
			positions: map[string]time.Time{},
			known:     map[string]time.Time{},
			quotes:    make(chan contract.Quote, queued),
		}
	}
	for record, err := range w.Records.List(ctx, positionsPrefix) {
		if err != nil {
			return nil, fmt.Errorf("read positions: %w", err)
		}
		if err := p.load(record); err != nil {
			return nil, fmt.Errorf("read positions: record %s: %w", record.Key, err)
		}
	}
	p.ctx, p.fail = context.WithCancelCause(ctx)
	for _, l := range p.lanes {
		p.group.Go(func() { p.run(l) })
	}
	return p, nil
}

func positionKey(partition int) string { return positionsPrefix + "/" + strconv.Itoa(partition) }

func (p *publisher) load(record cloud.Record) error {
	for _, l := range p.lanes {
		if l.key != record.Key {
			continue
		}
		l.revision = record.Revision
		if err := json.Unmarshal(record.Value, &l.positions); err != nil {
			return err
		}
		return json.Unmarshal(record.Value, &l.known)
	}
	return nil // of a partition that there is no more
}

// position tells what had been published last of a symbol when the poll began.
func (p *publisher) position(symbol string) (at time.Time, known bool) {
	at, known = p.lanes[contract.QuotePartition(symbol)].known[symbol]
	return at, known
}

// publish queues a quote; one that is not newer than what was published is
// dropped. It waits while the lane's queue is full. It may be called from
// several goroutines, each with symbols of its own.
func (p *publisher) publish(quote contract.Quote) {
	select {
	case p.lanes[contract.QuotePartition(quote.Symbol)].quotes <- quote:
	case <-p.ctx.Done():
	}
}

// close returns once all that was queued is published and noted, or with what
// kept it from that.
func (p *publisher) close() error {
	for _, l := range p.lanes {
		close(l.quotes)
	}
	p.group.Wait()
	defer p.fail(nil)
	return context.Cause(p.ctx)
}

// run publishes a lane's quotes and notes what was published, also when it fails.
func (p *publisher) run(l *lane) {
	unsaved := 0
	var err error
	for quote := range l.quotes {
		if !quote.Time.After(l.positions[quote.Symbol]) {
			continue
		}
		if err = p.send(quote); err != nil {
			break
		}
		l.positions[quote.Symbol] = quote.Time
		if unsaved++; unsaved == saveEvery {
			if err = p.save(l); err != nil {
				break
			}
			unsaved = 0
		}
	}
	if unsaved > 0 && !errors.Is(err, cloud.ErrConflict) {
		err = errors.Join(err, p.save(l))
	}
	if err != nil {
		p.fail(err)
	}
}

func (p *publisher) send(quote contract.Quote) error {
	data, err := json.Marshal(quote)
	if err != nil {
		return fmt.Errorf("publish quote of %s: %w", quote.Symbol, err)
	}
	err = p.Bus.Publish(p.ctx, contract.TopicQuote(quote.Symbol), cloud.Event{
		ID: quote.ID(), Source: source, Type: typeQuote, Subject: quote.Symbol, Time: quote.Time, Data: data,
	})
	if err != nil {
		return err
	}
	p.metrics.published(quote)
	return nil
}

// saveWait bounds the note of what was published, which is owed also when the
// poll is cancelled.
const saveWait = 5 * time.Second

func (p *publisher) save(l *lane) error {
	value, err := json.Marshal(l.positions)
	if err != nil {
		return fmt.Errorf("save positions: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), saveWait)
	defer cancel()
	revision, err := p.Records.Put(ctx, l.key, value, l.revision, 0)
	if err != nil {
		return fmt.Errorf("save positions: %w", err) // also when another instance has saved meanwhile
	}
	l.revision = revision
	return nil
}
