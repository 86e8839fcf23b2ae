package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/jobs"
)

const (
	// mailsPerRound is how many crossings one round waits for, one after another.
	mailsPerRound = 5
	// beyond is a price that the feed never has by itself.
	beyond = 100_000.

	mailWait = time.Minute
)

// mailSuite measures the whole alerts flow, offline: from the schedule's tick
// over poll, rule and mailer to the mail server's having the mail.
func mailSuite(ctx context.Context, b *bench) (results []Result, err error) {
	for name, pkg := range map[string]string{"drydock": ".", "drydock-images": "./workers/images"} {
		if _, err := b.build(ctx, name, pkg); err != nil {
			return nil, err
		}
	}
	b.say("starting the offline stack")
	starting, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	stack, err := emulator.Start(starting, emulator.Options{
		Jobs:   jobs.Files,
		Path:   []string{b.cache},
		Logger: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()

	f := &alertsFlow{stack: stack}
	reading, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer stop()
	reader.Go(func() { f.followTicks(reading) })
	var milliseconds []float64
	for range b.rounds * mailsPerRound {
		took, err := f.mail(ctx)
		if err != nil {
			return nil, err
		}
		milliseconds = append(milliseconds, took.Seconds()*1000)
	}
	return []Result{result("from the schedule's tick to the mail server's having the mail", "ms", milliseconds).below(50)}, nil
}

// alertsFlow is a stack whose prices cross one rule after another.
type alertsFlow struct {
	stack *emulator.Stack
	count int

	mu    sync.Mutex
	ticks []time.Time
}

func (f *alertsFlow) followTicks(ctx context.Context) {
	for tick, err := range f.stack.Bus.Read(ctx, cloud.ScheduleTopic("quotes"), cloud.Start{Since: time.Now()}) {
		if err != nil {
			return
		}
		f.mu.Lock()
		f.ticks = append(f.ticks, tick.Published)
		f.mu.Unlock()
	}
}

// lastTick is the one that a mail of that time came from.
func (f *alertsFlow) lastTick(before time.Time) (last time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, tick := range f.ticks {
		if tick.Before(before) {
			last = tick
		}
	}
	return last
}

// mail sets a rule, has the price cross it, and waits for its mail. It returns
// the time from the tick.
func (f *alertsFlow) mail(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, mailWait)
	defer cancel()
	f.count++
	price := beyond * float64(f.count)
	address := fmt.Sprintf("bench-%d@drydock.example", f.count)
	if err := f.setRule(ctx, price, address); err != nil {
		return 0, err
	}
	if _, err := f.stack.Market.Inject(contract.Quote{Symbol: "ACME", Price: price, Volume: 1}); err != nil {
		return 0, err
	}
	for {
		messages, err := f.stack.Mail.Messages()
		if err != nil {
			return 0, err
		}
		for _, message := range messages {
			if message.Recipients[0] != address {
				continue
			}
			tick := f.lastTick(message.At)
			if tick.IsZero() {
				return 0, errors.New("a mail came before any tick")
			}
			return message.At.Sub(tick), nil
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return 0, fmt.Errorf("wait for the mail to %s: %w", address, ctx.Err())
		}
	}
}

func (f *alertsFlow) setRule(ctx context.Context, price float64, address string) error {
	body, err := json.Marshal(map[string]any{
		"symbol":    "ACME",
		"condition": contract.Condition{Kind: contract.Above, Price: price},
		"channel":   map[string]string{"kind": contract.Email, "address": address},
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.stack.URL("alerts")+"/v1/alerts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		var problem strings.Builder
		_ = answer.Write(&problem)
		return fmt.Errorf("set a rule: %s", problem.String())
	}
	return nil
}
