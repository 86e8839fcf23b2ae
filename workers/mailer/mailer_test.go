package mailer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	"github.com/drydock/drydock/cloud/smtp"
	"github.com/drydock/drydock/contract"
	"github.com/drydock/drydock/emulator/mail"
	server "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/workers/runner"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"))
}

// bench is a worker on real parts, with a clock of its own.
type bench struct {
	*Mailer
	t         *testing.T
	ctx       context.Context
	inbox     *mail.Mail
	published *recording
	url       string // of the bus

	mu   sync.Mutex
	time time.Time
}

const (
	limit = 3 * time.Minute
	ann   = "ann@example.com"
)

var (
	noon      = time.Date(2026, 3, 2, 12, 0, 10, 0, time.UTC)
	digestOne = digestID(row(ann, noon), 1)
)

func setUp(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	events, err := server.Start(server.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { events.Close() })
	inbox, err := mail.Start(mail.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { inbox.Close() })
	bus, err := nats.OpenBus(ctx, events.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	collections := map[string]cloud.Records{}
	for _, name := range []string{contract.AlertsCollection, contract.MailCollection} {
		records, err := nats.OpenRecords(ctx, events.URL(), name)
		require.NoError(t, err)
		t.Cleanup(func() { records.Close() })
		collections[name] = records
	}
	sender, err := smtp.Open(inbox.SMTPURL() + "?timeout=1s")
	require.NoError(t, err)
	t.Cleanup(func() { sender.Close() })
	b := &bench{t: t, ctx: ctx, inbox: inbox, published: &recording{Bus: bus}, url: events.URL(), time: noon}
	b.Mailer, err = New(Options{
		Bus: b.published, Rules: collections[contract.AlertsCollection], Mail: collections[contract.MailCollection], Mailer: sender,
		From: "Drydock <alerts@drydock.example>", PublicURL: "https://alerts.example.com/", UnsubscribeKey: []byte("0123456789abcdef"),
		DigestAfter: 2, Drain: 5 * time.Second, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	require.NoError(t, err)
	b.now = func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.time
	}
	return b
}

func (b *bench) setTime(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.time = at
}

// rule stores a rule of Ann's for her address.
func (b *bench) setRule(id, address string, change func(*contract.Rule)) {
	b.t.Helper()
	rule := contract.Rule{
		ID: id, Owner: "ann", Symbol: "ACME", Note: "Sell & <b>run</b>.",
		Condition: contract.Condition{Kind: contract.Below, Price: 95}, Channel: contract.Channel{Kind: contract.Email, Address: address},
	}
	if change != nil {
		change(&rule)
	}
	value, err := json.Marshal(rule)
	require.NoError(b.t, err)
	key := contract.RecordKey("ann", id)
	record, err := b.Rules.Get(b.ctx, key)
	if err != nil {
		require.ErrorIs(b.t, err, cloud.ErrNotFound)
	}
	_, err = b.Rules.Put(b.ctx, key, value, record.Revision, 0)
	require.NoError(b.t, err)
}

// alert is the n-th event of a rule, made at the bench's noon.
func alert(rule string, n int) cloud.Event {
	at := time.Date(2026, 3, 2, 14, 3, 5, n, time.UTC)
	data, err := json.Marshal(contract.Alert{
		ID: contract.AlertID(rule, at), Rule: rule, Owner: "ann", Symbol: "ACME", Kind: contract.Below,
		Price: 94.2, Volume: 1200, Time: at, Level: 95, Value: 94.2,
	})
	if err != nil {
		panic(err)
	}
	return cloud.Event{ID: contract.AlertID(rule, at), Source: "/test", Type: "test", Time: noon, Data: data}
}

func (b *bench) mails() []mail.Message {
	b.t.Helper()
	messages, err := b.inbox.Messages()
	require.NoError(b.t, err)
	slices.Reverse(messages)
	return messages
}

// ids are the Message-IDs in the inbox, without their domain.
func (b *bench) ids() []string {
	ids := []string{}
	for _, message := range b.mails() {
		ids = append(ids, strings.TrimSuffix(message.MessageID, "@drydock.example"))
	}
	return ids
}

// tick moves the clock beyond the minute, and sends the digests that are due.
func (b *bench) tick() {
	b.t.Helper()
	b.setTime(noon.Add(time.Minute))
	require.NoError(b.t, b.handleTick(b.ctx, cloud.Event{}))
	b.sendDigests()
}

// sendDigests handles what was published on the topic of digests so far.
func (b *bench) sendDigests() {
	b.t.Helper()
	for _, event := range b.published.events {
		require.NoError(b.t, b.handleDigest(b.ctx, event))
	}
}

// recording remembers what was published.
type recording struct {
	cloud.Bus
	events []cloud.Event
}

func (r *recording) Publish(ctx context.Context, topic string, event cloud.Event) error {
	err := r.Bus.Publish(ctx, topic, event)
	if err == nil {
		r.events = append(r.events, event)
	}
	return err
}

func TestAnAlertBecomesAMail(t *testing.T) {
	b := setUp(t)
	b.setRule("r1", ann, nil)
	event := alert("r1", 1)
	require.NoError(t, b.handleAlert(b.ctx, event))
	mails := b.mails()
	require.Len(t, mails, 1)
	m := mails[0]
	assert.Equal(t, []string{ann}, m.Recipients)
	assert.Equal(t, event.ID+"@drydock.example", m.MessageID)
	assert.Equal(t, "ACME fell below 95.00: 94.20 at 14:03:05 UTC", m.Subject)
	assert.Contains(t, m.HTML, "Sell &amp; &lt;b&gt;run&lt;/b&gt;.")
	assert.Contains(t, m.Text, "Sell & <b>run</b>.")
	link := strings.Trim(m.Header("List-Unsubscribe"), "<>")
	assert.Contains(t, m.Text, link)
	token, found := strings.CutPrefix(link, "https://alerts.example.com"+contract.PathUnsubscribe)
	require.True(t, found)
	address, err := contract.ParseUnsubscribeToken(b.UnsubscribeKey, token)
	require.NoError(t, err)
	assert.Equal(t, ann, address)
}

func TestNothingIsSentForWhatNobodyWants(t *testing.T) {
	b := setUp(t)
	b.setRule("paused", ann, func(r *contract.Rule) { r.Paused = true })
	b.setRule("hook", ann, func(r *contract.Rule) {
		r.Channel = contract.Channel{Kind: contract.Webhook, Address: "https://example.com"}
	})
	b.setRule("unsubscribed", "eve@example.com", nil)
	require.NoError(t, b.suppress(b.ctx, "EVE@example.com", "unsubscribed"))
	for _, rule := range []string{"gone", "paused", "hook", "unsubscribed"} {
		require.NoError(t, b.handleAlert(b.ctx, alert(rule, 1)), rule)
	}
	assert.Empty(t, b.mails())
	for _, wrong := range []string{"", "{}", `{"id":"a b.1"}`, `{"id":"a"}`} {
		assert.ErrorIs(t, b.handleAlert(b.ctx, cloud.Event{Data: []byte(wrong)}), runner.ErrPermanent, wrong)
	}
}

func TestRedeliveriesSendOnce(t *testing.T) {
	b := setUp(t)
	b.setRule("r1", ann, nil)
	for range 3 {
		require.NoError(t, b.handleAlert(b.ctx, alert("r1", 1)))
	}
	assert.Len(t, b.mails(), 1)
}

func TestRefusalsAreTriedAgainOrEnd(t *testing.T) {
	b := setUp(t)
	b.setRule("r1", ann, nil)
	event := alert("r1", 1)

	require.NoError(t, b.inbox.SetFault(mail.Fault{Kind: mail.TempFail, Times: 1, Words: "greylisted"}))
	err := b.handleAlert(b.ctx, event)
	require.ErrorContains(t, err, "greylisted")
	assert.NotErrorIs(t, err, runner.ErrPermanent)

	require.NoError(t, b.inbox.SetFault(mail.Fault{Kind: mail.Reject, Times: 1, Words: "looks like spam"}))
	err = b.handleAlert(b.ctx, event)
	require.ErrorContains(t, err, "looks like spam")
	assert.ErrorIs(t, err, runner.ErrPermanent)
	_, err = b.Mail.Get(b.ctx, contract.SuppressionKey(ann))
	assert.ErrorIs(t, err, cloud.ErrNotFound, "the address is not to blame")

	require.NoError(t, b.inbox.SetFault(mail.Fault{Kind: mail.RejectRecipient, Times: 1, Words: "Ann has moved"}))
	err = b.handleAlert(b.ctx, event)
	require.ErrorContains(t, err, "Ann has moved")
	assert.ErrorIs(t, err, runner.ErrPermanent)
	record, err := b.Mail.Get(b.ctx, contract.SuppressionKey(ann))
	require.NoError(t, err)
	var suppressed contract.Suppression
	require.NoError(t, json.Unmarshal(record.Value, &suppressed))
	assert.Equal(t, ann, suppressed.Address)
	assert.Contains(t, suppressed.Reason, "Ann has moved")
	require.NoError(t, b.handleAlert(b.ctx, alert("r1", 2)))
	assert.Empty(t, b.mails(), "a suppressed address gets nothing")
}

func TestTheRestOfAMinuteIsOneDigest(t *testing.T) {
	b := setUp(t)
	b.setRule("r1", ann, nil)
	var group sync.WaitGroup
	for n := range 8 {
		for range 2 { // redelivered at the same time
			group.Go(func() { assert.NoError(t, b.handleAlert(b.ctx, alert("r1", n))) })
		}
	}
	group.Wait()
	ids := b.ids()
	slices.Sort(ids)
	assert.Len(t, slices.Compact(ids), 2, "the first two go singly")
	require.NoError(t, b.handleTick(b.ctx, cloud.Event{}))
	b.sendDigests()
	assert.Equal(t, len(ids), len(slices.DeleteFunc(b.ids(), func(id string) bool { return strings.HasPrefix(id, "digest") })), "the minute is not over")
	for range 3 {
		b.tick()
	}
	digests := slices.DeleteFunc(b.mails(), func(m mail.Message) bool { return !strings.HasPrefix(m.MessageID, "digest.") })
	require.Len(t, digests, 1)
	assert.Equal(t, digestOne+"@drydock.example", digests[0].MessageID)
	assert.Equal(t, "6 more alerts at 12:00 UTC on Monday, 2 March 2026", digests[0].Subject)
	assert.Equal(t, 6, strings.Count(digests[0].Text, "ACME fell below 95.00: 94.20 at 14:03:05 UTC"))
	require.Eventually(t, func() bool { return b.due() == 0 }, limit, 50*time.Millisecond, "nothing is left to do")

	// What comes for the minute after its digest begins another.
	require.NoError(t, b.handleAlert(b.ctx, alert("r1", 100)))
	for n := range 8 {
		require.NoError(t, b.handleAlert(b.ctx, alert("r1", n)))
	}
	b.tick()
	assert.Equal(t, []string{digestOne, digestOne + ".2"}, slices.DeleteFunc(b.ids(), func(id string) bool { return !strings.HasPrefix(id, "digest") }))
}

// due counts the rows that have something to send.
func (b *bench) due() int {
	n := 0
	for _, err := range b.Mail.List(b.ctx, duePrefix) {
		require.NoError(b.t, err)
		n++
	}
	return n
}

func TestLargeDigestsAreSplit(t *testing.T) {
	b := setUp(t)
	b.setRule("r1", ann, nil)
	p := part{Address: ann, Single: []string{"a", "b"}}
	for n := range maxPartItems {
		p.Items = append(p.Items, item{Alert: contract.Alert{ID: fmt.Sprintf("other.%d", n)}})
	}
	_, err := b.putPart(b.ctx, partKey(row(ann, noon), 1), p, 0)
	require.NoError(t, err)
	require.NoError(t, b.handleAlert(b.ctx, alert("r1", 1)))
	b.tick()
	assert.Equal(t, []string{digestOne, digestOne + ".2"}, b.ids())
}

// failing is a collection whose writes fail from the n-th on, as if the
// process had been killed there; before or after the write took effect.
type failing struct {
	cloud.Records
	mu     sync.Mutex
	left   int
	effect bool
}

var errKilled = errors.New("killed")

func (f *failing) Put(ctx context.Context, key string, value []byte, revision uint64, keep time.Duration) (uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left >= 0 {
		return f.Records.Put(ctx, key, value, revision, keep)
	}
	if f.effect && f.left == -1 {
		f.Records.Put(ctx, key, value, revision, keep)
	}
	return 0, errKilled
}

func TestADigestIsSentOnceWhereverTheWorkerIsKilled(t *testing.T) {
	for _, effect := range []bool{false, true} {
		for writes := range 14 {
			t.Run(fmt.Sprintf("write %d, effect %v", writes, effect), func(t *testing.T) {
				b := setUp(t)
				b.setRule("r1", ann, nil)
				real := b.Mail
				b.Mail = &failing{Records: real, left: writes, effect: effect}
				run := func() (err error) {
					b.setTime(noon)
					for n := range 4 {
						ctx, cancel := context.WithCancel(b.ctx)
						context.AfterFunc(b.ctx, cancel)
						err = errors.Join(err, b.handleAlert(ctx, alert("r1", n)))
						cancel()
						if err != nil {
							return err
						}
					}
					b.setTime(noon.Add(time.Minute))
					return b.handleTick(b.ctx, cloud.Event{})
				}
				if err := run(); err != nil {
					require.ErrorIs(t, err, errKilled)
				}
				b.Mail = real // another instance takes over, and everything comes again
				require.NoError(t, run())
				b.sendDigests()
				b.tick()
				digests := slices.DeleteFunc(b.mails(), func(m mail.Message) bool { return !strings.HasPrefix(m.MessageID, "digest.") })
				require.Len(t, digests, 1)
				assert.Equal(t, 2, strings.Count(digests[0].Text, "ACME fell below"))
				ids := b.ids()
				slices.Sort(ids)
				assert.Len(t, slices.Compact(ids), 3, "two single ones and the digest")
			})
		}
	}
}

func TestTheWholeWorkerThroughEveryFault(t *testing.T) {
	for _, fault := range []mail.Fault{
		{Kind: mail.TempFail, Times: 2}, {Kind: mail.Hang, Times: 1}, {Kind: mail.CloseInData, Times: 2},
		{Kind: mail.CloseAfterData, Times: 1}, {Kind: mail.Slow, Times: 1, Seconds: 0.1}, {Kind: mail.Down},
	} {
		t.Run(fault.Kind, func(t *testing.T) {
			b := setUp(t)
			b.DigestAfter = 100
			b.setRule("r1", ann, nil)
			b.run()
			require.NoError(t, b.inbox.SetFault(fault))
			var want []string
			for n := range 5 {
				event := alert("r1", n)
				want = append(want, event.ID)
				require.NoError(t, b.published.Bus.Publish(b.ctx, contract.TopicTriggered("ann"), event))
			}
			if fault.Kind == mail.Down {
				require.Never(t, func() bool { return len(b.mails()) > 0 }, 500*time.Millisecond, 50*time.Millisecond)
				b.inbox.ClearFaults()
			}
			slices.Sort(want)
			var ids []string
			require.Eventually(t, func() bool {
				ids = b.ids()
				slices.Sort(ids)
				return slices.Equal(want, slices.Compact(slices.Clone(ids)))
			}, limit, 20*time.Millisecond)
			if fault.Kind != mail.CloseAfterData { // the client cannot know that it was taken
				assert.Equal(t, want, ids)
			}
		})
	}
}

// run runs the worker until the test ends.
func (b *bench) run() {
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		assert.NoError(b.t, <-ended)
	})
}

// joined is a bus that counts who subscribed to it.
type joined struct {
	cloud.Bus
	count atomic.Int32
}

func (j *joined) Subscribe(ctx context.Context, subscription cloud.Subscription) (cloud.Consumer, error) {
	consumer, err := j.Bus.Subscribe(ctx, subscription)
	if err == nil {
		j.count.Add(1)
	}
	return consumer, err
}

func TestItTellsWhenAllOfItIsSubscribed(t *testing.T) {
	b := setUp(t)
	bus, told := &joined{Bus: b.Bus}, make(chan int32, 1)
	b.Bus = bus
	b.Subscribed = func() { told <- bus.count.Load() }
	b.run()
	assert.EqualValues(t, 3, <-told)
}

func TestWhatCannotBeSentBecomesADeadLetterWithTheServersWords(t *testing.T) {
	b := setUp(t)
	letters, err := nats.OpenDeadLetters(b.ctx, b.url)
	require.NoError(t, err)
	defer letters.Close()
	b.setRule("r1", ann, nil)
	b.run()
	require.NoError(t, b.inbox.SetFault(mail.Fault{Kind: mail.Reject, Words: "looks like spam"}))
	require.NoError(t, b.published.Bus.Publish(b.ctx, contract.TopicTriggered("ann"), alert("r1", 1)))
	var found []cloud.Letter
	require.Eventually(t, func() bool {
		found = nil
		for letter, err := range letters.List(b.ctx, cloud.LetterFilter{Consumer: "mailer"}) {
			if err == nil {
				found = append(found, letter)
			}
		}
		return len(found) == 1
	}, limit, 20*time.Millisecond)
	assert.Equal(t, alert("r1", 1).Data, found[0].Event.Data)
	assert.Contains(t, found[0].Last, "looks like spam")

	b.inbox.ClearFaults()
	require.NoError(t, letters.Redrive(b.ctx, found[0].ID, found[0].Revision))
	require.Eventually(t, func() bool { return len(b.mails()) == 1 }, limit, 20*time.Millisecond)
}

func TestMailsLookAsTheyShould(t *testing.T) {
	t.Parallel()
	made, err := loadTemplates("")
	require.NoError(t, err)
	at := time.Date(2026, 3, 2, 14, 3, 5, 0, time.UTC)
	items := map[string]item{
		"above":   {Alert: contract.Alert{Symbol: "ACME", Kind: contract.Above, Price: 125.4, Level: 125, Value: 125.4, Time: at}},
		"below":   {Alert: contract.Alert{Symbol: "ACME", Kind: contract.Below, Price: 94.2, Level: 95, Value: 94.2, Time: at}, Note: "Time to\nsell <b>all</b> & rest."},
		"reached": {Alert: contract.Alert{Symbol: "ACME", Kind: contract.Below, Price: 95, Level: 95, Value: 95, Time: at}},
		"crosses": {Alert: contract.Alert{Symbol: "EURUSD=X", Kind: contract.Crosses, Price: 1.08345, Level: 1.0834, Value: 1.08345, Time: at}},
		"change":  {Alert: contract.Alert{Symbol: "ACME", Kind: contract.Change, Price: 94.2, Level: -5, Value: -5.31, Time: at}, Window: 300},
		"volume":  {Alert: contract.Alert{Symbol: "ACME", Kind: contract.Volume, Price: 94.2, Volume: 12000, Level: 3, Value: 3.44, Time: at}, Window: 3600},
	}
	const link = "https://alerts.example.com/v1/unsubscribe/a.b"
	all := digestData{Minute: "14:03 UTC on Monday, 2 March 2026", Unsubscribe: link}
	for _, name := range []string{"above", "below", "reached", "crosses", "change", "volume"} {
		golden(t, made, name, "alert", alertData{items[name].line(), link})
		all.Lines = append(all.Lines, items[name].line())
	}
	golden(t, made, "digest", "digest", all)
}

func golden(t *testing.T, made *templates, name, kind string, data any) {
	t.Helper()
	subject, text, html, err := made.render(kind, data)
	require.NoError(t, err)
	for extension, got := range map[string]string{".txt": "Subject: " + subject + "\n\n" + text, ".html": html} {
		path := filepath.Join("testdata", name+extension)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, path)
	}
}

func TestAFolderReplacesTemplates(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "alert.txt"), []byte("{{define \"subject\"}}Own\r\nBcc: {{.Symbol}}{{end}}Own {{.What}}"), 0o644))
	made, err := loadTemplates(folder)
	require.NoError(t, err)
	subject, text, html, err := made.render("alert", alertData{line: line{What: "it", Symbol: "A\nB"}})
	require.NoError(t, err)
	assert.Equal(t, "Own Bcc: A B", subject)
	assert.Equal(t, "Own it", text)
	assert.Contains(t, html, "<html")
	for _, wrong := range []string{"{{.Nothing}}", "{{", "no subject"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "alert.txt"), []byte(wrong), 0o644))
		_, err := loadTemplates(folder)
		assert.ErrorContains(t, err, "alert.txt")
	}
}

func TestWrongOptionsAreRefused(t *testing.T) {
	t.Parallel()
	right := Options{From: "a@example.com", PublicURL: "https://example.com", UnsubscribeKey: make([]byte, 16)}
	_, err := New(right)
	require.NoError(t, err)
	for name, change := range map[string]func(*Options){
		"sender": func(o *Options) { o.From = "nobody" },
		"URL":    func(o *Options) { o.PublicURL = "example.com" },
		"key":    func(o *Options) { o.UnsubscribeKey = []byte("short") },
		"digest": func(o *Options) { o.DigestAfter = MaxDigestAfter + 1 },
	} {
		wrong := right
		change(&wrong)
		_, err := New(wrong)
		assert.ErrorContains(t, err, name)
	}
}

func TestDigestsGoOutByTheirSchedule(t *testing.T) {
	b := setUp(t)
	b.Bus = b.published.Bus
	b.setRule("r1", ann, nil)
	schedules, err := nats.OpenSchedules(b.ctx, b.url)
	require.NoError(t, err)
	defer schedules.Close()
	often := Schedule
	often.Every, often.Keep = time.Second, time.Second
	require.NoError(t, schedules.Declare(b.ctx, Schedule), "as the role does")
	require.NoError(t, schedules.Declare(b.ctx, often))
	b.run()
	for n := range 5 {
		require.NoError(t, b.Bus.Publish(b.ctx, contract.TopicTriggered("ann"), alert("r1", n)))
	}
	require.Eventually(t, func() bool {
		p, _, err := b.part(b.ctx, partKey(row(ann, noon), 1))
		return err == nil && len(p.Items) == 3 && len(b.ids()) == 2
	}, limit, 20*time.Millisecond)
	b.setTime(noon.Add(time.Minute))
	require.Eventually(t, func() bool { return slices.Contains(b.ids(), digestOne) && b.due() == 0 }, limit, 20*time.Millisecond)
	digests := slices.DeleteFunc(b.mails(), func(m mail.Message) bool { return !strings.HasPrefix(m.MessageID, "digest.") })
	assert.Equal(t, 3, strings.Count(digests[len(digests)-1].Text, "ACME fell below"))
	assert.Len(t, b.ids(), 3)
}
