package uploads

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"time"

	"github.com/drydock/drydock/cloud"
)

// errBroken is what broken providers answer.
var errBroken = errors.New("dial tcp secret.internal:9000: connection refused")

// broken and brokenRecords are real providers whose answers never arrive.
type broken struct{ cloud.Objects }

func (broken) SignPost(context.Context, cloud.Grant) (cloud.Form, error) {
	return cloud.Form{}, errBroken
}

func (broken) List(context.Context, string, string) iter.Seq2[cloud.ObjectInfo, error] {
	return func(yield func(cloud.ObjectInfo, error) bool) { yield(cloud.ObjectInfo{}, errBroken) }
}

type brokenRecords struct{ cloud.Records }

func (brokenRecords) Get(context.Context, string) (cloud.Record, error) {
	return cloud.Record{}, errBroken
}

// counting is a real provider that counts what it is asked.
type counting struct {
	cloud.Objects
	lists, listed atomic.Int64
}

func (c *counting) List(ctx context.Context, prefix, after string) iter.Seq2[cloud.ObjectInfo, error] {
	c.lists.Add(1)
	return func(yield func(cloud.ObjectInfo, error) bool) {
		for object, err := range c.Objects.List(ctx, prefix, after) {
			c.listed.Add(1)
			if !yield(object, err) {
				return
			}
		}
	}
}

// countingRecords is a real provider that counts what it is asked, and can do
// something before each Put, as a worker would at the same time.
type countingRecords struct {
	cloud.Records
	gets, watches atomic.Int64
	beforePut     func(key string)
}

func (c *countingRecords) Get(ctx context.Context, key string) (cloud.Record, error) {
	c.gets.Add(1)
	return c.Records.Get(ctx, key)
}

func (c *countingRecords) Watch(ctx context.Context, prefix string) iter.Seq2[cloud.Change, error] {
	c.watches.Add(1)
	return c.Records.Watch(ctx, prefix)
}

func (c *countingRecords) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	if c.beforePut != nil {
		c.beforePut(key)
	}
	return c.Records.Put(ctx, key, value, revision, keep)
}

// failingOnce is a real provider whose first watch breaks off.
type failingOnce struct {
	cloud.Records
	failed atomic.Bool
}

func (f *failingOnce) Watch(ctx context.Context, prefix string) iter.Seq2[cloud.Change, error] {
	if f.failed.CompareAndSwap(false, true) {
		return func(yield func(cloud.Change, error) bool) { yield(cloud.Change{}, errBroken) }
	}
	return f.Records.Watch(ctx, prefix)
}
