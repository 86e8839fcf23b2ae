package main

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/workers/alerts"
)

const writers = 256 // quotes that are published at once

// warming is the part of the quotes that is left out of the time, for the
// worker and for the bare loop: a tenth, in which all rules begin.
const warming = 10

// publish fills the stream with the quotes of a feed that has one of each
// symbol in a second.
func publish(ctx context.Context, url string, count int) (line, error) {
	bus, err := nats.OpenBus(ctx, url)
	if err != nil {
		return line{}, err
	}
	defer bus.Close()
	began := time.Now()
	m := newMarket(time.Second)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for range count {
		quote := m.next()
		group.Go(func() error {
			data, err := json.Marshal(quote)
			if err != nil {
				return err
			}
			return bus.Publish(ctx, contract.TopicQuote(quote.Symbol), cloud.Event{
				ID: quote.ID(), Source: "/drydock/bench", Type: "dev.drydock.quotes.changed", Time: quote.Time, Data: data,
			})
		})
	}
	err = group.Wait()
	return line{Quotes: count, Seconds: time.Since(began).Seconds()}, err
}

// worker runs the alerts worker over all quotes. The rules come from memory,
// all else is as ever: alerts are published, and states are kept each second.
// It is timed from after the warming up to the last quote's evaluation.
func worker(ctx context.Context, url, name string, count int) (line, error) {
	bus, err := nats.OpenBus(ctx, url)
	if err != nil {
		return line{}, err
	}
	defer bus.Close()
	states, err := nats.OpenRecords(ctx, url, name)
	if err != nil {
		return line{}, err
	}
	defer states.Close()
	registry := prometheus.NewRegistry()
	given := &memory{loaded: make(chan struct{})}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	evaluated := func(least int) (quotes int, at time.Time) {
		for quotes < least && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
			quotes = total(registry, "drydock_filter_quotes_total")
		}
		return quotes, time.Now()
	}
	var warm int
	var took time.Duration
	go func() {
		<-given.loaded
		var began time.Time
		warm, began = evaluated(count / warming)
		_, ended := evaluated(count)
		took = ended.Sub(began)
		stop()
	}()
	err = alerts.Run(ctx, alerts.Options{
		Bus: bus, Rules: given, States: states,
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Metrics: alerts.NewMetrics(registry),
	})
	return line{Quotes: count - warm, Seconds: took.Seconds(), Alerts: total(registry, "drydock_filter_alerts_total")}, err
}

// total is the value of a counter.
func total(registry *prometheus.Registry, name string) int {
	families, err := registry.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		if f.GetName() == name {
			return int(f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	return 0
}

// memory is records that hold the rules, without a server behind them.
type memory struct {
	cloud.Records
	loaded chan struct{}
}

func (m *memory) List(context.Context, string) iter.Seq2[cloud.Record, error] {
	return func(yield func(cloud.Record, error) bool) {
		for rule := range makeRules(false) {
			value, err := json.Marshal(rule)
			if !yield(cloud.Record{Key: contract.RecordKey(rule.Owner, rule.ID), Value: value, Revision: 1}, err) {
				return
			}
		}
		close(m.loaded)
	}
}

func (m *memory) Watch(ctx context.Context, _ string) iter.Seq2[cloud.Change, error] {
	return func(func(cloud.Change, error) bool) { <-ctx.Done() }
}
