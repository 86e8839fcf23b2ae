package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/deadletters"
	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/cloud/nats"
	natsserver "github.com/drydock/drydock/emulator/nats"
	"github.com/drydock/drydock/operate/deadletter"
)

// letterOffice is the API of dead letters on a bus of its own.
type letterOffice struct {
	bus *nats.Bus
	url string
}

func openLetterOffice(t *testing.T) *letterOffice {
	t.Helper()
	server, err := natsserver.Start(natsserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	bus, err := nats.OpenBus(letterTime(t), server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { bus.Close() })
	letters, err := nats.OpenDeadLetters(letterTime(t), server.URL())
	require.NoError(t, err)
	t.Cleanup(func() { letters.Close() })
	front := httptest.NewServer(deadletters.New(deadletters.Options{Letters: letters, Logger: slog.New(slog.DiscardHandler)}).Handler())
	t.Cleanup(front.Close)
	return &letterOffice{bus: bus, url: front.URL}
}

func letterTime(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), awaitAtMost)
	t.Cleanup(cancel)
	return ctx
}

func (o *letterOffice) reader(t *testing.T) cloud.Consumer {
	t.Helper()
	consumer, err := o.bus.Subscribe(letterTime(t), cloud.Subscription{Name: "reader", Topic: "tests.one", AckWait: 30 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { consumer.Close() })
	return consumer
}

func nextLetter(t *testing.T, consumer cloud.Consumer) cloud.Delivery {
	t.Helper()
	delivery, err := consumer.Next(letterTime(t))
	require.NoError(t, err)
	return delivery
}

// fill makes the letters tests.reader.1 and so on.
func (o *letterOffice) fill(t *testing.T, consumer cloud.Consumer, count int) {
	t.Helper()
	for i := range count {
		event := cloud.Event{ID: fmt.Sprint("event-", i+1), Source: "/test", Type: "test", Data: fmt.Appendf(nil, `{"number":%d}`, i+1)}
		require.NoError(t, o.bus.Publish(letterTime(t), "tests.one", event))
		failure := cloud.Failure{Reason: "permanent", First: "at first", Last: fmt.Sprintf("no place for number %d\nin \x1b[31mthe picture", i+1)}
		require.NoError(t, nextLetter(t, consumer).DeadLetter(letterTime(t), failure))
	}
}

// run is drydock deadletter with arguments and a standard input.
func (o *letterOffice) run(t *testing.T, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "drydock", SilenceErrors: true, SilenceUsage: true}
	root.AddGroup(&cobra.Group{ID: groupPeople})
	root.AddCommand(deadletterCommand(os.Getenv))
	begin := []string{"deadletter", "--api", o.url}
	if args[0] == cobra.ShellCompRequestCmd {
		begin, args = append([]string{args[0]}, begin...), args[1:]
	}
	root.SetArgs(append(begin, args...))
	var out, diagnostics bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&diagnostics)
	err = root.ExecuteContext(letterTime(t))
	return out.String(), diagnostics.String(), err
}

// prints is run for what must go well.
func (o *letterOffice) prints(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := o.run(t, "", args...)
	require.NoError(t, err, "%s%s", stdout, stderr)
	return stdout
}

func TestDeadletterListAndShow(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	assert.Equal(t, "There are no such dead letters.\n", o.prints(t, "list"))
	assert.Equal(t, "[]\n", o.prints(t, "list", "--json"))
	o.fill(t, o.reader(t), 3)

	text := o.prints(t, "list")
	assert.Regexp(t, `^AGE +ID +REASON +ATTEMPTS +REDRIVEN +LAST ERROR\n`, text)
	assert.Regexp(t, `(?m)^\d+s +tests\.reader\.2 +permanent +1 +0 +no place for number 2 in �\[31mthe picture$`, text)
	assert.Len(t, strings.Split(strings.TrimSpace(text), "\n"), 4)
	text = o.prints(t, "list", "--limit", "2")
	assert.NotContains(t, text, "tests.reader.3")
	assert.Contains(t, text, "There are more")
	assert.Contains(t, o.prints(t, "list", "--reason", "NUMBER 3"), "tests.reader.3")
	assert.Equal(t, "There are no such dead letters.\n", o.prints(t, "list", "--older-than", "1h"))
	var letters []deadletter.Letter
	require.NoError(t, json.Unmarshal([]byte(o.prints(t, "list", "--json", "--stream", "tests", "--consumer", "reader", "--newer-than", "1h")), &letters))
	assert.Len(t, letters, 3)
	assert.Equal(t, "event-1", letters[0].Event.ID)

	text = o.prints(t, "list", "--summary")
	assert.Regexp(t, `(?m)^3 +tests +reader +permanent +\d+s +\d+s$`, text)
	assert.Regexp(t, `(?m)^3 +in all$`, text)
	var summary deadletter.Summary
	require.NoError(t, json.Unmarshal([]byte(o.prints(t, "list", "--summary", "--json")), &summary))
	assert.Equal(t, 3, summary.Total)

	text = o.prints(t, "show", "tests.reader.1")
	assert.Regexp(t, `(?m)^Letter +tests\.reader\.1$`, text)
	assert.Regexp(t, `(?m)^Last error +no place for number 1\n +in �\[31mthe picture$`, text)
	assert.Contains(t, text, "{\n  \"number\": 1\n}\n")
	assert.NotContains(t, text, "\x1b")
	assert.Equal(t, `{"number":1}`, o.prints(t, "show", "tests.reader.1", "--data"))
	var letter deadletter.Letter
	require.NoError(t, json.Unmarshal([]byte(o.prints(t, "show", "tests.reader.1", "--json")), &letter))
	assert.Equal(t, `{"number":1}`, letter.Data)

	assert.Contains(t, o.prints(t, cobra.ShellCompRequestCmd, "show", "tests.reader."), "tests.reader.3\tpermanent\n")
}

func TestDeadletterSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	o.fill(t, o.reader(t), 2)
	for _, c := range []struct {
		args string
		want string
	}{
		{"show tests.reader.9", `There is no dead letter "tests.reader.9"`},
		{"list --older-than soon", "not a duration like"},
		{"list --limit -1", "--limit -1"},
		{"redrive", "which letters?"},
		{"redrive --all tests.reader.1", "give either"},
		{"redrive --all --rate fast", "--rate fast"},
		{"redrive --all --rate 0", "--rate 0"},
		{"redrive --all", "Send 2 dead letters again? Nobody is there to ask: add --yes"},
		{"purge", "which letters?"},
		{"purge tests.reader.1", "Delete 1 dead letter for good? Nobody is there to ask: add --yes"},
		{"edit tests.reader.1 --data /does/not/exist", "no such file"},
		{"list --api http://127.0.0.1:1", "is `drydock up` running? Name another with --api"},
	} {
		_, _, err := o.run(t, "", strings.Fields(c.args)...)
		assert.ErrorContains(t, err, c.want, c.args)
	}
	assert.Contains(t, o.prints(t, "list", "--summary"), "2        in all", "nothing was done")
}

func TestDeadletterRedrive(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	consumer := o.reader(t)
	o.fill(t, consumer, 4)
	assert.Equal(t, "4 would be sent again, 0 skipped, 0 failed\n", o.prints(t, "redrive", "--all", "--dry-run"))
	assert.Equal(t, "1 sent again, 0 skipped, 0 failed\n", o.prints(t, "redrive", "tests.reader.2"))
	delivery := nextLetter(t, consumer)
	assert.Equal(t, "event-2", delivery.Event().ID)
	require.NoError(t, delivery.Ack(letterTime(t)))

	began := time.Now()
	lines := strings.Split(strings.TrimSpace(o.prints(t, "redrive", "--stream", "tests", "--rate", "5/s", "--yes", "--json")), "\n")
	assert.GreaterOrEqual(t, time.Since(began), 400*time.Millisecond)
	require.Len(t, lines, 5)
	assert.JSONEq(t, `{"total":3,"done":3,"skipped":0,"failed":0,"finished":true}`, lines[4])
	for range 3 {
		require.NoError(t, nextLetter(t, consumer).Ack(letterTime(t)))
	}
	stdout, _, err := o.run(t, "", "redrive", "tests.reader.1")
	require.ErrorIs(t, err, errSaid)
	assert.Contains(t, stdout, "tests.reader.1: There is no such letter, or no longer.\n0 sent again, 1 skipped, 0 failed\n")
}

func TestDeadletterDoesNotGoRoundInSilence(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	consumer := o.reader(t)
	o.fill(t, consumer, 1)
	for i := range 3 {
		assert.Contains(t, o.prints(t, "redrive", "--all", "--yes"), "1 sent again")
		require.NoError(t, nextLetter(t, consumer).DeadLetter(letterTime(t), cloud.Failure{Reason: "permanent", Last: fmt.Sprint("again ", i)}))
	}
	assert.Regexp(t, `sent again 3 times(.*\n)+0 sent again, 1 skipped`, o.prints(t, "redrive", "--all", "--yes"))
	var letters []deadletter.Letter
	require.NoError(t, json.Unmarshal([]byte(o.prints(t, "list", "--json")), &letters))
	stdout, _, err := o.run(t, "", "redrive", letters[0].ID)
	require.ErrorIs(t, err, errSaid)
	assert.Contains(t, stdout, "sent again 3 times")
	text := o.prints(t, "show", letters[0].ID)
	for _, words := range []string{"tests.reader.1", "no place for number 1", "again 0", "again 1", "again 2"} {
		assert.Contains(t, text, words)
	}
	assert.Contains(t, o.prints(t, "redrive", letters[0].ID, "--again"), "1 sent again")
	require.NoError(t, nextLetter(t, consumer).Ack(letterTime(t)))
}

func TestDeadletterPurge(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	o.fill(t, o.reader(t), 4)
	assert.Contains(t, o.prints(t, "purge", "tests.reader.1", "--dry-run"), "1 would be deleted")
	assert.Contains(t, o.prints(t, "purge", "tests.reader.1", "--yes"), "1 deleted")
	stdout, _, err := o.run(t, "", "purge", "tests.reader.1", "tests.reader.2", "--yes")
	require.ErrorIs(t, err, errSaid)
	assert.Contains(t, stdout, "1 deleted, 0 skipped, 1 failed")
	assert.Contains(t, o.prints(t, "purge", "--reason", "number 3", "--dry-run"), "1 would be deleted")
	assert.Contains(t, o.prints(t, "purge", "--reason", "number 3", "--yes"), "1 deleted")
	assert.Contains(t, o.prints(t, "purge", "--all", "--yes"), "1 deleted")
	assert.Equal(t, "There are no such dead letters.\n", o.prints(t, "list"))
}

func TestDeadletterEditByFileAndSendAgain(t *testing.T) {
	t.Parallel()
	o := openLetterOffice(t)
	consumer := o.reader(t)
	o.fill(t, consumer, 2)
	file := filepath.Join(t.TempDir(), "fixed.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"fixed":1}`), 0o600))
	assert.Equal(t, "tests.reader.1: edited, 11 bytes instead of 12\n", o.prints(t, "edit", "tests.reader.1", "--data", file))
	_, stderr, err := o.run(t, "", "edit", "tests.reader.1", "--data", file, "--redrive")
	require.ErrorContains(t, err, "not sent again without a change")
	assert.Contains(t, stderr, "nothing was changed")
	stdout, _, err := o.run(t, `{"fixed":2}`, "edit", "tests.reader.1", "--data", "-", "--redrive")
	require.NoError(t, err)
	assert.Equal(t, "tests.reader.1: edited, 11 bytes instead of 11\n1 sent again, 0 skipped, 0 failed\n", stdout)
	delivery := nextLetter(t, consumer)
	assert.Equal(t, `{"fixed":2}`, string(delivery.Event().Data))
	require.NoError(t, delivery.Ack(letterTime(t)))
	_, _, err = o.run(t, strings.Repeat("x", maxLetterData+1), "edit", "tests.reader.2", "--data", "-")
	require.ErrorContains(t, err, "more than the 1048576 bytes")
	assert.FileExists(t, file)
}

// The editor is named by the environment, which all tests have in common.
func TestDeadletterEditInAnEditor(t *testing.T) {
	o := openLetterOffice(t)
	o.fill(t, o.reader(t), 1)
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Setenv("VISUAL", "")
	editor := filepath.Join(t.TempDir(), "editor")
	write := func(script string) {
		require.NoError(t, os.WriteFile(editor, []byte("#!/bin/sh\n"+script), 0o700))
	}
	left := func() []os.DirEntry {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		return entries
	}
	t.Setenv("EDITOR", editor+" --wait")

	write(`[ "$1" = --wait ] && [ "$(stat -c %a "$2")" = 600 ] && sed -i s/1/17/ "$2"`)
	assert.Contains(t, o.prints(t, "edit", "tests.reader.1"), "edited, 13 bytes instead of 12")
	assert.Equal(t, `{"number":17}`, o.prints(t, "show", "tests.reader.1", "--data"))
	assert.Empty(t, left())

	write(`exit 0`)
	_, stderr, err := o.run(t, "", "edit", "tests.reader.1")
	require.NoError(t, err)
	assert.Contains(t, stderr, "nothing was changed")
	write(`exit 3`)
	_, _, err = o.run(t, "", "edit", "tests.reader.1")
	require.ErrorContains(t, err, "exit status 3; name another editor in EDITOR")
	assert.Empty(t, left())

	// Somebody else is faster: what was written is not lost.
	client := deadletter.New(o.url)
	letter, err := client.Get(letterTime(t), "tests.reader.1")
	require.NoError(t, err)
	write(fmt.Sprintf(`echo mine > "$2"; touch %q; while [ ! -e %q ]; do sleep 0.01; done`, editor+".open", editor+".go"))
	failed := make(chan error, 1)
	go func() {
		_, _, err := o.run(t, "", "edit", "tests.reader.1")
		failed <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(editor + ".open"); return err == nil }, awaitAtMost, 10*time.Millisecond)
	_, err = client.Edit(letterTime(t), "tests.reader.1", letter.Revision, []byte("theirs"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(editor+".go", nil, 0o600))
	require.ErrorContains(t, <-failed, "changed meanwhile; look at it again. What you wrote is in "+folder)
	assert.Len(t, left(), 1)
}

func TestDeadletterAsks(t *testing.T) {
	t.Parallel()
	for answer, yes := range map[string]bool{"y\n": true, "Yes\n": true, "n\n": false, "\n": false, "": false, "yes please\n": false} {
		var out bytes.Buffer
		err := ask(strings.NewReader(answer), &out, "Delete 2 dead letters for good")
		assert.Equal(t, yes, err == nil, "%q", answer)
		assert.Equal(t, "Delete 2 dead letters for good? [y/N] ", out.String())
	}
}
