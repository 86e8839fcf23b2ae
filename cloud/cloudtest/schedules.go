package cloudtest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
)

// Schedules holds a provider against what cloud.Schedules promises. Open
// returns schedules and the bus that their events come on, on a fresh backend,
// or on the same one when called again in one subtest.
func Schedules(t *testing.T, open func(t *testing.T) func() (cloud.Schedules, cloud.Bus)) {
	every := func(name string, pause time.Duration) cloud.Schedule {
		return cloud.Schedule{Name: name, Every: pause, Type: "dev.drydock.tick", Source: "/drydock/cloudtest"}
	}
	list := func(t *testing.T, schedules cloud.Schedules) map[string]cloud.Schedule {
		t.Helper()
		all := map[string]cloud.Schedule{}
		for schedule, err := range schedules.List(bounded(t)) {
			require.NoError(t, err)
			require.NotContains(t, all, schedule.Name)
			all[schedule.Name] = schedule
		}
		return all
	}
	// ticks returns the next count events of a schedule that are read from the start.
	ticks := func(t *testing.T, bus cloud.Bus, name string, from cloud.Start, count int) []cloud.Entry {
		t.Helper()
		var entries []cloud.Entry
		for entry, err := range bus.Read(bounded(t), cloud.ScheduleTopic(name), from) {
			require.NoError(t, err)
			if entries = append(entries, entry); len(entries) == count {
				break
			}
		}
		require.Len(t, entries, count)
		return entries
	}
	test := func(name string, run func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, again func() (cloud.Schedules, cloud.Bus))) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := open(t)
			schedules, bus := again()
			run(t, schedules, bus, again)
		})
	}

	test("events come when they are due", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		for _, schedule := range []cloud.Schedule{
			{Name: "interval", Every: time.Second, Type: "dev.drydock.tick %", Source: "/drydock/cloudtest", Data: []byte(`{"n":1}`)},
			{Name: "cron", Cron: "* * * * * *", TimeZone: "Europe/Berlin", Type: "dev.drydock.tick %", Source: "/drydock/cloudtest", Data: []byte(`{"n":1}`)},
		} {
			require.NoError(t, schedules.Declare(bounded(t), schedule))
			seen := map[string]bool{}
			var last time.Time
			for _, entry := range ticks(t, bus, schedule.Name, cloud.Start{}, 3) {
				assert.Equal(t, cloud.ScheduleTopic(schedule.Name), entry.Topic)
				assert.Equal(t, schedule.Type, entry.Event.Type)
				assert.Equal(t, schedule.Source, entry.Event.Source)
				assert.Equal(t, schedule.Data, entry.Event.Data)
				assert.Equal(t, "application/json", entry.Event.ContentType)
				assert.WithinDuration(t, time.Now(), entry.Event.Time, limit)
				assert.True(t, entry.Event.Time.After(last), "%v comes after %v", entry.Event.Time, last)
				last = entry.Event.Time
				seen[entry.Event.ID] = true
			}
			assert.Len(t, seen, 3, "each has an ID of its own")
		}
	})

	test("a durable consumer has them once each, and one that is away has them when it comes", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		require.NoError(t, schedules.Declare(bounded(t), every("poll", time.Second)))
		missed := ticks(t, bus, "poll", cloud.Start{}, 3)
		consumer, err := bus.Subscribe(bounded(t), cloud.Subscription{Name: "reader", Topic: cloud.ScheduleTopic("poll"), AckWait: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { consumer.Close() })
		for _, entry := range missed {
			delivery, err := consumer.Next(bounded(t))
			require.NoError(t, err)
			assert.Equal(t, entry.Event, delivery.Event())
			require.NoError(t, delivery.Ack(bounded(t)))
		}
		first, err := consumer.Next(bounded(t))
		require.NoError(t, err)
		require.NoError(t, first.Retry(bounded(t), 0))
		for again := false; !again; {
			delivery, err := consumer.Next(bounded(t))
			require.NoError(t, err)
			require.NoError(t, delivery.Ack(bounded(t)))
			if again = delivery.Attempt() > 1; again {
				assert.Equal(t, first.Event(), delivery.Event(), "the same at a redelivery")
			}
		}
	})

	test("an event that waited longer than it is kept is skipped", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		brief, all := every("brief", time.Second), every("all", time.Second)
		brief.Keep = time.Second
		require.NoError(t, schedules.Declare(bounded(t), brief))
		require.NoError(t, schedules.Declare(bounded(t), all))
		first := ticks(t, bus, "brief", cloud.Start{}, 1)[0]
		ticks(t, bus, "all", cloud.Start{}, 5) // a consumer is away meanwhile
		consumer, err := bus.Subscribe(bounded(t), cloud.Subscription{Name: "reader", Topic: cloud.ScheduleTopic("brief"), AckWait: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { consumer.Close() })
		delivery, err := consumer.Next(bounded(t))
		require.NoError(t, err)
		assert.Greater(t, delivery.Event().Time.Sub(first.Event.Time), time.Second)
		assert.WithinDuration(t, time.Now(), delivery.Event().Time, limit)
	})

	test("subscribing comes first or last", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		consumer, err := bus.Subscribe(bounded(t), cloud.Subscription{Name: "reader", Topic: cloud.ScheduleTopic("poll"), AckWait: 10 * time.Second})
		require.NoError(t, err)
		t.Cleanup(func() { consumer.Close() })
		require.NoError(t, schedules.Declare(bounded(t), every("poll", time.Second)))
		for range 2 {
			delivery, err := consumer.Next(bounded(t))
			require.NoError(t, err)
			assert.Equal(t, cloud.ScheduleTopic("poll"), delivery.Topic())
			require.NoError(t, delivery.Ack(bounded(t)))
		}
	})

	test("the list gives back what was declared", func(t *testing.T, schedules cloud.Schedules, _ cloud.Bus, again func() (cloud.Schedules, cloud.Bus)) {
		other, _ := again()
		assert.Empty(t, list(t, schedules))
		declared := map[string]cloud.Schedule{
			"a": {Name: "a", Every: 90 * time.Minute, Type: "t ü", Source: "/s%", Data: []byte{0, 1, 255}},
			"b": {Name: "b", Cron: "0 30 9 * * MON-FRI", TimeZone: "America/New_York", Keep: time.Minute, Type: "t", Source: "/s", Data: []byte("{}")},
			"c": {Name: "c", Cron: "@daily", Keep: 7 * 24 * time.Hour, Type: "t", Source: "/s", Data: []byte("{}")},
			"d": {Name: "d", Cron: "0 0 0 1 1 *", TimeZone: "UTC", Type: "t", Source: "/s", Data: []byte("{}")},
		}
		for _, schedule := range declared {
			require.NoError(t, schedules.Declare(bounded(t), schedule))
		}
		assert.Equal(t, declared, list(t, other))
		for range schedules.List(bounded(t)) {
			break
		}
	})

	test("the same again changes nothing", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, again func() (cloud.Schedules, cloud.Bus)) {
		other, _ := again()
		schedule := every("poll", 2*time.Second)
		pause := time.NewTicker(200 * time.Millisecond)
		defer pause.Stop()
		for range 30 { // for six seconds: if it began anew each time it would not be due before
			<-pause.C
			require.NoError(t, schedules.Declare(bounded(t), schedule))
			require.NoError(t, other.Declare(bounded(t), schedule))
		}
		last := time.Now()
		assert.True(t, ticks(t, bus, "poll", cloud.Start{}, 1)[0].Published.Before(last))
		assert.Len(t, list(t, schedules), 1)
	})

	test("another one replaces it", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		require.NoError(t, schedules.Declare(bounded(t), every("poll", time.Hour)))
		sooner := every("poll", time.Second)
		sooner.Data = []byte(`{"sooner":true}`)
		require.NoError(t, schedules.Declare(bounded(t), sooner))
		assert.Equal(t, map[string]cloud.Schedule{"poll": sooner}, list(t, schedules))
		for _, entry := range ticks(t, bus, "poll", cloud.Start{}, 2) {
			assert.Equal(t, sooner.Data, entry.Event.Data)
		}
	})

	test("a removed one ends", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		require.NoError(t, schedules.Remove(bounded(t), "poll"), "there is none")
		require.NoError(t, schedules.Declare(bounded(t), every("poll", time.Second)))
		require.NoError(t, schedules.Declare(bounded(t), every("other", time.Second)))
		ticks(t, bus, "poll", cloud.Start{}, 1)
		require.NoError(t, schedules.Remove(bounded(t), "poll"))
		require.NoError(t, schedules.Remove(bounded(t), "poll"), "removing twice")
		removed := ticks(t, bus, "other", cloud.Start{Since: time.Now().Add(time.Second)}, 1)[0]
		others := ticks(t, bus, "other", cloud.Start{After: removed.Position}, 2)
		assert.Len(t, list(t, schedules), 1)

		again := every("poll", time.Second)
		again.Data = []byte("again")
		require.NoError(t, schedules.Declare(bounded(t), again))
		next := ticks(t, bus, "poll", cloud.Start{After: removed.Position}, 1)[0]
		assert.Equal(t, again.Data, next.Event.Data, "nothing came after it was removed")
		assert.Greater(t, next.Position, others[1].Position)
	})

	test("instances that declare at once agree", func(t *testing.T, schedules cloud.Schedules, bus cloud.Bus, again func() (cloud.Schedules, cloud.Bus)) {
		schedule := every("poll", time.Second)
		var group sync.WaitGroup
		for range 6 {
			other, _ := again()
			group.Go(func() {
				for _, name := range []string{"poll", "one", "two"} {
					own := schedule
					own.Name = name
					assert.NoError(t, other.Declare(bounded(t), own))
				}
			})
		}
		group.Wait()
		assert.Len(t, list(t, schedules), 3)
		entries := ticks(t, bus, "poll", cloud.Start{}, 3)
		assert.Greater(t, entries[2].Published.Sub(entries[0].Published), time.Second, "one event for each time it is due")
	})

	test("what it cannot do is refused", func(t *testing.T, schedules cloud.Schedules, _ cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		const minutely = "0 * * * * *"
		cron := func(pattern, zone string) cloud.Schedule {
			return cloud.Schedule{Name: "a", Cron: pattern, TimeZone: zone, Type: "t", Source: "/s"}
		}
		for name, schedule := range map[string]cloud.Schedule{
			"no name":            every("", time.Minute),
			"bad name":           every("a.b", time.Minute),
			"long name":          every(strings.Repeat("a", 33), time.Minute),
			"neither":            every("a", 0),
			"both":               {Name: "a", Every: time.Minute, Cron: minutely, Type: "t", Source: "/s"},
			"negative":           every("a", -time.Minute),
			"below a second":     every("a", 999*time.Millisecond),
			"five fields":        cron("* * * * *", ""),
			"beyond its range":   cron("0 60 * * * *", ""),
			"never":              cron("0 0 0 30 2 *", ""),
			"no cron":            cron("at noon", ""),
			"interval as cron":   cron("@every 1m", ""),
			"once":               cron("@at 2030-01-01T00:00:00Z", ""),
			"unknown word":       cron("@often", ""),
			"header in cron":     cron("@daily\r\nNats-TTL: 1s", ""),
			"unknown zone":       cron(minutely, "Mars/Olympus"),
			"server's own zone":  cron(minutely, "Local"),
			"path for a zone":    cron(minutely, "../../etc/passwd"),
			"zone for interval":  {Name: "a", Every: time.Minute, TimeZone: "UTC", Type: "t", Source: "/s"},
			"keep below seconds": {Name: "a", Every: time.Minute, Keep: time.Millisecond, Type: "t", Source: "/s"},
			"negative keep":      {Name: "a", Every: time.Minute, Keep: -time.Second, Type: "t", Source: "/s"},
			"no type":            {Name: "a", Every: time.Minute, Source: "/s"},
			"no source":          {Name: "a", Every: time.Minute, Type: "t"},
			"too much data":      {Name: "a", Every: time.Minute, Type: "t", Source: "/s", Data: make([]byte, 65<<20)},
		} {
			err := schedules.Declare(bounded(t), schedule)
			require.ErrorIs(t, err, cloud.ErrInvalid, name)
			assert.Less(t, len(err.Error()), 300, name)
		}
		require.ErrorIs(t, schedules.Remove(bounded(t), "a.b"), cloud.ErrInvalid)
		assert.Empty(t, list(t, schedules))
	})

	test("it is ready until it is closed", func(t *testing.T, schedules cloud.Schedules, _ cloud.Bus, _ func() (cloud.Schedules, cloud.Bus)) {
		require.NoError(t, schedules.Ready(bounded(t)))
		require.NoError(t, schedules.Close())
		require.NoError(t, schedules.Close())
		require.Error(t, schedules.Ready(bounded(t)))
		require.Error(t, schedules.Declare(bounded(t), every("poll", time.Second)))
		for _, err := range schedules.List(bounded(t)) {
			require.Error(t, err)
		}
	})
}
