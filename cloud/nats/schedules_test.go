package nats_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	server "github.com/drydock/drydock/emulator/nats"
)

func openSchedules(t *testing.T, url string) *nats.Schedules {
	t.Helper()
	schedules, err := nats.OpenSchedules(bounded(t), url)
	require.NoError(t, err)
	t.Cleanup(func() { schedules.Close() })
	return schedules
}

func openBus(t *testing.T, url string) *nats.Bus {
	t.Helper()
	bus, err := nats.OpenBus(bounded(t), url)
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	return bus
}

// readTicks returns the next count events of a schedule after a position.
func readTicks(t *testing.T, bus cloud.Bus, name string, after cloud.Position, count int) []cloud.Entry {
	t.Helper()
	var entries []cloud.Entry
	for entry, err := range bus.Read(bounded(t), cloud.ScheduleTopic(name), cloud.Start{After: after}) {
		require.NoError(t, err)
		if entries = append(entries, entry); len(entries) == count {
			break
		}
	}
	require.Len(t, entries, count)
	return entries
}

func declared(t *testing.T, schedules cloud.Schedules) map[string]cloud.Schedule {
	t.Helper()
	all := map[string]cloud.Schedule{}
	for schedule, err := range schedules.List(bounded(t)) {
		require.NoError(t, err)
		all[schedule.Name] = schedule
	}
	return all
}

func waitUntil(t *testing.T, at time.Time) {
	t.Helper()
	require.Eventually(t, func() bool { return time.Now().After(at) }, long, 50*time.Millisecond)
}

func TestSchedulesGoOnOverARestartOfTheServer(t *testing.T) {
	t.Parallel()
	const interval = 12 * time.Second
	dir := t.TempDir()
	running, err := server.Start(server.Options{Dir: dir})
	require.NoError(t, err)
	port := portOf(t, running)
	schedules, bus := openSchedules(t, running.URL()), openBus(t, running.URL())
	all := map[string]cloud.Schedule{
		"second": {Name: "second", Every: time.Second, Type: "t", Source: "/s", Data: []byte("{}")},
		"cron":   {Name: "cron", Cron: "* * * * * *", TimeZone: "Asia/Tokyo", Type: "t", Source: "/s", Data: []byte("{}")},
		"slow":   {Name: "slow", Every: interval, Type: "t", Source: "/s", Data: []byte("{}")},
		"daily":  {Name: "daily", Cron: "@daily", Keep: time.Hour, Type: "t", Source: "/s", Data: []byte("{}")},
	}
	for _, schedule := range all {
		require.NoError(t, schedules.Declare(bounded(t), schedule))
	}
	due := time.Now().Add(interval)
	readTicks(t, bus, "second", 0, 1)
	readTicks(t, bus, "cron", 0, 1)
	require.NoError(t, running.Close())
	waitUntil(t, due.Add(time.Second))
	back := time.Now()
	running, err = server.Start(server.Options{Dir: dir, Port: port})
	require.NoError(t, err)
	t.Cleanup(func() { running.Close() })
	require.Eventually(t, func() bool { return schedules.Ready(bounded(t)) == nil }, long, 10*time.Millisecond)

	assert.Equal(t, all, declared(t, schedules))
	slow := readTicks(t, bus, "slow", 0, 1)[0]
	assert.WithinRange(t, slow.Published, back, back.Add(interval-2*time.Second), "one at once for those that were missed")
	for _, name := range []string{"second", "cron"} {
		var ticks []time.Time
		for entry, err := range bus.Read(bounded(t), cloud.ScheduleTopic(name), cloud.Start{Since: back}) {
			require.NoError(t, err)
			if ticks = append(ticks, entry.Published); len(ticks) == 4 {
				break
			}
		}
		assert.Greater(t, ticks[3].Sub(ticks[0]), time.Second, "%s: not all of those that were missed, at %v", name, ticks)
	}
}

// A copy of the files of a running server is what a crash would leave behind.
func TestDeclarationsSurviveACrashOfTheServer(t *testing.T) {
	t.Parallel()
	dir, crashed := t.TempDir(), t.TempDir()
	first, err := server.Start(server.Options{Dir: dir})
	require.NoError(t, err)
	t.Cleanup(func() { first.Close() })
	schedules := openSchedules(t, first.URL())
	hourly := cloud.Schedule{Name: "hourly", Every: time.Hour, Type: "t", Source: "/s", Data: []byte("{}")}
	yearly := cloud.Schedule{Name: "yearly", Cron: "@yearly", TimeZone: "Europe/Berlin", Type: "t", Source: "/s", Data: []byte("{}")}
	require.NoError(t, schedules.Declare(bounded(t), hourly))
	require.NoError(t, schedules.Declare(bounded(t), yearly))
	require.NoError(t, os.CopyFS(crashed, os.DirFS(dir)))

	second, err := server.Start(server.Options{Dir: crashed})
	require.NoError(t, err)
	t.Cleanup(func() { second.Close() })
	schedules = openSchedules(t, second.URL())
	assert.Equal(t, map[string]cloud.Schedule{"hourly": hourly, "yearly": yearly}, declared(t, schedules))
	sooner := hourly
	sooner.Every = time.Second
	require.NoError(t, schedules.Declare(bounded(t), sooner))
	readTicks(t, openBus(t, second.URL()), "hourly", 0, 2)
}

func TestEventsOfSchedulesAgeAndDeclarationsDoNot(t *testing.T) {
	t.Parallel()
	ctx := bounded(t)
	s := start(t)
	schedules, bus := openSchedules(t, s.URL()), openBus(t, s.URL())
	require.NoError(t, bus.Declare(ctx, "schedules"), "as a subscriber does")
	js := operate(t, s.URL())
	stream, err := js.Stream(ctx, "schedules")
	require.NoError(t, err)
	ordinary := stream.CachedInfo().Config
	require.Equal(t, 7*24*time.Hour, ordinary.MaxAge)

	kept := cloud.Schedule{Name: "kept", Every: time.Second, Type: "t", Source: "/s"}
	brief := cloud.Schedule{Name: "brief", Every: time.Second, Keep: time.Minute, Type: "t", Source: "/s"}
	require.NoError(t, schedules.Declare(ctx, kept))
	require.NoError(t, schedules.Declare(ctx, brief))
	info, err := stream.Info(ctx)
	require.NoError(t, err)
	assert.Zero(t, info.Config.MaxAge)
	assert.Equal(t, ordinary.Duplicates, info.Config.Duplicates)
	for name, ttl := range map[string]time.Duration{"kept": ordinary.MaxAge, "brief": time.Minute} {
		readTicks(t, bus, name, 0, 1)
		tick, err := stream.GetLastMsgForSubject(ctx, cloud.ScheduleTopic(name))
		require.NoError(t, err)
		assert.Equal(t, ttl.String(), tick.Header.Get("Nats-TTL"))
	}
	for entry, err := range bus.Read(ctx, "schedules.>", cloud.Start{}) {
		require.NoError(t, err)
		assert.Contains(t, []string{"schedules.kept", "schedules.brief"}, entry.Topic, "declarations are not among the events")
		if entry.Position > 6 {
			break
		}
	}
}
