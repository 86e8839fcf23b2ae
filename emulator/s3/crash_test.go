package s3

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// diary is a Notifier that writes what it accepts to a file, and refuses a third
// of it at first.
type diary struct {
	mu sync.Mutex
	f  *os.File
}

func (d *diary) Notify(_ context.Context, id string, body []byte) error {
	if rand.IntN(3) == 0 {
		return errors.New("not now")
	}
	var e eventLog
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o := e.Records[0].S3.Object
	_, err := fmt.Fprintf(d.f, "%s %s %s %s %s\n", id, e.EventName, e.Key, o.ETag, o.VersionID)
	return err
}

func openDiary(dir string) (*diary, error) {
	f, err := os.OpenFile(filepath.Join(dir, "diary"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &diary{f: f}, err
}

// crashHelper is the process that TestKilledServer kills: it puts, overwrites
// and removes without end and says on standard output what was acknowledged.
func crashHelper(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if os.Getenv(crashMode) == "versions" {
		fail(crashVersions(dir))
	}
	d, err := openDiary(dir)
	fail(err)
	s, err := Open(Options{
		Dir: filepath.Join(dir, "s3"), Keys: map[string]Key{testKey: {Secret: testSecret}}, Logger: slog.New(slog.DiscardHandler),
		NoSync: os.Getenv(crashMode) == "nosync", Notifiers: map[string]Notifier{testARN: d},
	})
	fail(err)
	fail(s.CreateBucket("uploads"))
	fail(s.SetNotification("uploads", rule("", "", notification.ObjectCreatedAll, notification.ObjectRemovedAll)))
	hs := httptest.NewServer(s)
	c, err := minio.New(strings.TrimPrefix(hs.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(testKey, testSecret, ""), Region: "us-east-1", MaxRetries: 1,
	})
	fail(err)
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	run := fmt.Sprint(os.Getpid())
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%s/%d/%d", run, w, i%20)
				data := content(key, i)
				say("try %s %d", key, i)
				info, err := c.PutObject(context.Background(), "uploads", key, strings.NewReader(data), int64(len(data)), minio.PutObjectOptions{})
				fail(err)
				say("put %s %d %s", key, i, info.ETag)
				if i%7 == 6 {
					say("trydel %s %d", key, i)
					fail(c.RemoveObject(context.Background(), "uploads", key, minio.RemoveObjectOptions{}))
					say("del %s %d", key, i)
				}
			}
		})
	}
	wg.Wait()
}

// content is what the helper writes the i-th time under a key.
func content(key string, i int) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s %d", key, i)))
	return strings.Repeat(string(sum[:]), 1+i*37%5000)
}

// history is what one key went through, as far as the helper could tell.
type history struct {
	acked   []string // the ETags of the acknowledged puts
	last    string   // "put 3", "del 3", "": the last acknowledged change
	pending string   // a change that had no answer yet
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "nosync"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			keys := map[string]*history{}
			rounds := 4
			for range rounds {
				killHelper(t, dir, mode, keys)
			}
			checkAfterKills(t, dir, keys)
		})
	}
}

func killHelper(t *testing.T, dir, mode string, keys map[string]*history) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashMode+"="+mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	limit := 100 + rand.IntN(200) // lines, so that the kill comes at work
	sc := bufio.NewScanner(out)
	for n := 0; sc.Scan(); n++ {
		var op, key, etag string
		var i int
		_, _ = fmt.Sscan(sc.Text(), &op, &key, &i, &etag)
		h := keys[key]
		if h == nil {
			h = &history{}
			keys[key] = h
		}
		switch op {
		case "try", "trydel":
			h.pending = fmt.Sprintf("%s %d", strings.Replace(op, "trydel", "del", 1), i)
			h.pending = strings.Replace(h.pending, "try", "put", 1)
		case "put":
			h.acked = append(h.acked, etag)
			fallthrough
		case "del":
			h.last, h.pending = fmt.Sprintf("%s %d", op, i), ""
		}
		if n == limit {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
	require.NotEmpty(t, keys)
}

func checkAfterKills(t *testing.T, dir string, keys map[string]*history) {
	t.Helper()
	d, err := openDiary(dir)
	require.NoError(t, err)
	s, err := Open(Options{
		Dir: filepath.Join(dir, "s3"), Keys: map[string]Key{testKey: {Secret: testSecret}}, Logger: slog.New(slog.DiscardHandler),
		NoSync: true, Notifiers: map[string]Notifier{testARN: d},
	})
	require.NoError(t, err)
	b, err := s.st.bucket("uploads")
	require.NoError(t, err)
	acked := 0
	for key, h := range keys {
		acked += len(h.acked)
		state := stateOf(t, b, key)
		allowed := []string{h.last, h.pending}
		if state == "" && (strings.HasPrefix(h.last, "del") || strings.HasPrefix(h.pending, "del")) {
			continue
		}
		require.Contains(t, allowed, state, "key %s", key)
	}
	require.Greater(t, acked, 50)
	left, err := readNames(filepath.Join(dir, "s3", "tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
	awaitDelivery(t, s.st, dir)
	require.NoError(t, s.Close())
	checkDiary(t, dir, keys)
}

// awaitDelivery waits until the outbox is empty.
func awaitDelivery(t *testing.T, st *store, dir string) {
	t.Helper()
	eventually(t, func() bool {
		st.j.cur.mu.Lock()
		defer st.j.cur.mu.Unlock()
		names, err := readNames(filepath.Join(dir, "s3", "log"))
		return err == nil && len(names) == 1 && st.j.cur.pending == 0
	}, "everything is delivered")
}

// stateOf reads a key back and returns which change it shows.
func stateOf(t *testing.T, b *bucket, key string) string {
	t.Helper()
	e, ok := b.index.get(key)
	if !ok {
		return ""
	}
	f, m, err := openBlob(b.objectPath(key, e.version))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	require.Equal(t, e.etag, m.ETag)
	got, err := io.ReadAll(io.NewSectionReader(f, 0, m.Size))
	require.NoError(t, err)
	for i := range 100_000 {
		if c := content(key, i); len(c) == len(got) && c == string(got) {
			return fmt.Sprintf("put %d", i)
		}
	}
	require.FailNow(t, "an object that nobody wrote whole", key)
	return ""
}

// checkDiary wants every acknowledged change to have been told, and nothing that
// did not happen.
func checkDiary(t *testing.T, dir string, keys map[string]*history) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "diary"))
	require.NoError(t, err)
	told := map[string]map[string]bool{}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\n"), "\n") {
		f := strings.Split(line, " ")
		if len(f) != 5 || f[1] != "s3:ObjectCreated:Put" {
			continue
		}
		key := strings.TrimPrefix(f[2], "uploads/")
		require.Contains(t, keys, key, "an event for a key that nobody tried")
		if told[key] == nil {
			told[key] = map[string]bool{}
		}
		told[key][f[3]] = true
	}
	for key, h := range keys {
		for _, etag := range h.acked {
			require.True(t, told[key][etag], "event of %s %s", key, etag)
		}
		require.LessOrEqual(t, len(told[key]), len(h.acked)+1, "events of %s", key)
	}
}
