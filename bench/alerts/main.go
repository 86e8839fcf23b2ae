// Command alerts evaluates quotes against 1,000,000 rules, and tells how long
// it took. `make bench` runs it:
//
//	alerts engine [skewed]             the engine alone, on as many cores as GOMAXPROCS says
//	alerts publish URL COUNT           fills the stream of quotes
//	alerts worker URL NAME COUNT       the alerts worker on that stream, with records of that name
//	alerts bare URL NAME COUNT         nats.go's loop alone on it, with a consumer of that name
//
// Each prints {"quotes":N,"seconds":S,…}, which leaves out its own start.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/contract/rules"
)

// line is what a run prints.
type line struct {
	Quotes  int     `json:"quotes"`
	Seconds float64 `json:"seconds"`
	Alerts  int     `json:"alerts,omitempty"`
	Bytes   float64 `json:"bytes,omitempty"` // of the heap for each rule
}

func main() {
	printed, err := run(context.Background(), os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(printed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "alerts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (line, error) {
	way := ""
	if len(args) > 0 {
		way = args[0]
	}
	count := 0
	if len(args) > 2 {
		count, _ = strconv.Atoi(args[len(args)-1])
	}
	switch {
	case way == "engine" && len(args) == 1:
		return engine(false)
	case way == "engine" && len(args) == 2 && args[1] == "skewed":
		return engine(true)
	case way == "publish" && len(args) == 3 && count > 0:
		return publish(ctx, args[1], count)
	case way == "worker" && len(args) == 4 && count > 0:
		return worker(ctx, args[1], args[2], count)
	case way == "bare" && len(args) == 4 && count > 0:
		return bare(ctx, args[1], args[2], count)
	}
	return line{}, errors.New("usage: alerts engine [skewed] | publish URL COUNT | worker URL NAME COUNT | bare URL NAME COUNT")
}

const (
	warmUp   = 600_000 // quotes until the windows of an hour are full
	measured = 1_000_000
)

// engine evaluates quotes that are in memory already.
func engine(skewed bool) (line, error) {
	before := heap()
	e := rules.New(0)
	for rule := range makeRules(skewed) {
		if _, err := e.Put(nil, rule); err != nil {
			return line{}, err
		}
	}
	e.Resume(nil)
	m := newMarket(time.Minute)
	var alerts []contract.Alert
	for i := range warmUp {
		alerts = e.Evaluate(alerts[:0], m.next(), uint64(i))
	}
	bytes := float64(heap()-before) / ruleCount
	quotes := make([]contract.Quote, measured)
	for i := range quotes {
		quotes[i] = m.next()
	}
	fired := 0
	runtime.GC()
	began := time.Now()
	for i, q := range quotes {
		alerts = e.Evaluate(alerts[:0], q, uint64(warmUp+i))
		fired += len(alerts)
	}
	took := time.Since(began)
	runtime.KeepAlive(e)
	return line{Quotes: measured, Seconds: took.Seconds(), Alerts: fired, Bytes: bytes}, nil
}

// heap is how many bytes of it are in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// bare takes and acknowledges each message, and does nothing else.
func bare(ctx context.Context, url, name string, count int) (line, error) {
	nc, err := nats.Connect(url)
	if err != nil {
		return line{}, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return line{}, err
	}
	var began time.Time
	consumer, err := js.CreateOrUpdateConsumer(ctx, "quotes", jetstream.ConsumerConfig{Durable: name, AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: -1})
	if err != nil {
		return line{}, err
	}
	messages, err := consumer.Messages()
	if err != nil {
		return line{}, err
	}
	defer messages.Stop()
	for i := range count {
		if i == count/warming {
			began = time.Now()
		}
		message, err := messages.Next()
		if err != nil {
			return line{}, err
		}
		if err := message.Ack(); err != nil {
			return line{}, err
		}
	}
	err = nc.Flush()
	return line{Quotes: count - count/warming, Seconds: time.Since(began).Seconds()}, err
}
