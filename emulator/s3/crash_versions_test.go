package s3

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// said is a line of the process that is to be killed: what it is about to ask,
// or what it was told.
type said struct {
	Worker int
	Asked  asked
	Told   *outcome `json:",omitempty"`
}

// crashVersions is the process that TestKilledVersions kills: its workers do
// everything that changes a versioned bucket, each to keys of its own.
func crashVersions(dir string) error {
	d, err := openDiary(dir)
	if err != nil {
		return err
	}
	s, err := openKilled(dir, true, d)
	if err != nil {
		return err
	}
	if err := s.CreateBucket("uploads"); err != nil {
		return err
	}
	if err := s.SetNotification("uploads", rule("", "", notification.ObjectCreatedAll, notification.ObjectRemovedAll)); err != nil {
		return err
	}
	enabled := []byte("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	if w := s.ask(http.MethodPut, "/uploads", "versioning", enabled, http.Header{}); w.Code != http.StatusOK {
		return fmt.Errorf("%d %s", w.Code, w.Body)
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(line said) {
		mu.Lock()
		defer mu.Unlock()
		_ = out.Encode(line)
	}
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			m := model{versioning: versioningEnabled, keys: map[string][]revision{}}
			for i := 0; ; i++ {
				o := m.pick(fmt.Sprintf("%d/%d", os.Getpid(), worker), i)
				say(said{Worker: worker, Asked: o})
				told := o.do(s)
				say(said{Worker: worker, Asked: o, Told: &told})
				m, _ = m.apply(o, told)
			}
		})
	}
	wg.Wait()
	return nil
}

func openKilled(dir string, sync bool, n Notifier) (direct, error) {
	s, err := Open(Options{
		Dir: filepath.Join(dir, "s3"), Keys: map[string]Key{testKey: {Secret: testSecret}}, NoSync: !sync,
		Logger: slog.New(slog.DiscardHandler), Notifiers: map[string]Notifier{testARN: n},
	})
	return direct{s}, err
}

// pick makes up the i-th operation of a worker.
func (m model) pick(worker string, i int) asked {
	key := func() string { return fmt.Sprintf("%s/%d", worker, rand.IntN(4)) }
	o := asked{Key: key(), Content: fmt.Sprintf("%s-%d-", strings.ReplaceAll(worker, "/", "-"), i)}
	switch n := rand.IntN(40); {
	case n == 0:
		o.Kind = "large"
	case n < 5:
		o.Kind = "multipart"
	case n < 9:
		o.Kind, o.Source = "copy", key()
	case n < 20:
		o.Kind = "put"
	case n < 26:
		o.Kind = "tag"
	default:
		o.Kind = "delete"
	}
	rs := m.keys[o.Key]
	switch {
	case len(rs) == 0:
	case o.Kind == "delete" && rand.IntN(2) == 0, o.Kind == "tag":
		o.ID = rs[rand.IntN(len(rs))].id
	case o.Kind != "delete" && rand.IntN(3) == 0:
		o.Match = rs[0].etag
	}
	if o.Kind != "copy" && o.Kind != "tag" && o.Kind != "delete" && rand.IntN(2) == 0 {
		o.Tags = "k=v"
	}
	return o
}

// TestKilledVersions kills a process at work and compares what it was told with
// what is there, again and again on the same folder.
func TestKilledVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := model{versioning: versioningEnabled, keys: map[string][]revision{}}
	var lines []said
	for range 3 {
		round := killVersions(t, dir)
		lines = append(lines, round...)
		m = checkVersions(t, dir, m, round)
	}
	require.Greater(t, len(m.keys), 4)
	checkVersionsDiary(t, dir, lines)
}

// killVersions runs the process and kills it when it has said enough.
func killVersions(t *testing.T, dir string) (lines []said) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashMode+"=versions")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	limit := 100 + rand.IntN(200)
	sc := bufio.NewScanner(out)
	sc.Buffer(nil, 1<<20)
	for n := 0; sc.Scan(); n++ {
		if n == limit/2 { // another process is told to keep off
			_, err := openKilled(dir, false, &inbox{})
			require.ErrorIs(t, err, ErrInUse)
			require.ErrorContains(t, err, filepath.Join(dir, "s3"))
		}
		if n == limit {
			require.NoError(t, cmd.Process.Kill())
		}
		var line said
		if json.Unmarshal(sc.Bytes(), &line) == nil { // the last may be cut
			lines = append(lines, line)
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
	require.Greater(t, len(lines), limit/2, complaints.String())
	return lines
}

// checkVersions wants the folder to hold what was acknowledged, and of the last
// request of each worker either all or nothing. It returns what is there.
func checkVersions(t *testing.T, dir string, m model, lines []said) model {
	t.Helper()
	pending := map[int]asked{}
	for _, l := range lines {
		if l.Told == nil {
			pending[l.Worker] = l.Asked
			continue
		}
		delete(pending, l.Worker)
		next, ok := m.apply(l.Asked, *l.Told)
		require.True(t, ok, "%+v was told %+v of %+v", l.Asked, *l.Told, m.keys[l.Asked.Key])
		m = next
	}
	s, err := openKilled(dir, false, &inbox{down: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	names, err := readNames(filepath.Join(dir, "s3", "tmp"))
	require.NoError(t, err)
	require.Empty(t, names)
	there := contentOf(t, s)
	for _, o := range pending {
		if slices.Equal(m.keys[o.Key], there[o.Key]) {
			continue
		}
		// It was done, under an id that nobody was told.
		told := outcome{ETag: o.result().etag, Marker: o.Kind == "delete", ID: o.ID}
		for _, r := range there[o.Key] {
			if !slices.ContainsFunc(m.keys[o.Key], func(x revision) bool { return x.id == r.id }) {
				told.ID, told.Marker = r.id, r.marker
			}
		}
		if i := slices.IndexFunc(m.keys[o.Key], func(x revision) bool { return x.id == o.ID }); i >= 0 {
			told.Marker = m.keys[o.Key][i].marker
		}
		next, ok := m.apply(o, told)
		require.True(t, ok, "%+v of %+v to %+v", o, m.keys[o.Key], there[o.Key])
		m = next
	}
	require.Equal(t, m.keys, there)
	return m
}

// contentOf reads everything that the bucket holds.
func contentOf(t *testing.T, s direct) map[string][]revision {
	t.Helper()
	keys := map[string][]revision{}
	b, err := s.st.bucket("uploads")
	require.NoError(t, err)
	b.index.tree.Ascend(func(it item) bool {
		for _, e := range it.newestFirst() {
			r := revision{id: versionID(e.version), marker: e.marker, etag: e.etag, tags: strings.TrimPrefix(e.attributes.get().Tags, "k=")}
			f, m, err := openBlob(b.objectPath(e.key, e.version))
			require.NoError(t, err)
			data, err := io.ReadAll(io.NewSectionReader(f, 0, m.Size))
			require.NoError(t, err)
			require.NoError(t, f.Close())
			r.content = string(data)
			keys[e.key] = append(keys[e.key], r)
		}
		return true
	})
	return keys
}

// checkVersionsDiary wants every acknowledged change to have been told once, at
// least, and nothing else but what had no answer yet.
func checkVersionsDiary(t *testing.T, dir string, lines []said) {
	t.Helper()
	d, err := openDiary(dir)
	require.NoError(t, err)
	s, err := openKilled(dir, false, d)
	require.NoError(t, err)
	awaitDelivery(t, s.st, dir)
	require.NoError(t, s.Close())
	raw, err := os.ReadFile(filepath.Join(dir, "diary"))
	require.NoError(t, err)
	told := map[string]map[string]bool{} // ids of the events of each kind and version
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\n"), "\n") {
		f := strings.Split(line, " ")
		require.Len(t, f, 5, line)
		what := strings.Join([]string{f[1], f[2], f[4]}, " ")
		if told[what] == nil {
			told[what] = map[string]bool{}
		}
		told[what][f[0]] = true
	}
	kinds := map[string]string{
		"put": "s3:ObjectCreated:Put", "copy": "s3:ObjectCreated:Copy", "tag": "s3:ObjectCreated:PutTagging",
		"multipart": "s3:ObjectCreated:CompleteMultipartUpload", "large": "s3:ObjectCreated:CompleteMultipartUpload",
	}
	want := map[string]int{}
	for _, l := range lines {
		if l.Told == nil || l.Told.Code != "" || kinds[l.Asked.Kind] == "" {
			continue
		}
		want[strings.Join([]string{kinds[l.Asked.Kind], "uploads/" + l.Asked.Key, l.Told.ID}, " ")]++
	}
	for what, n := range want {
		require.GreaterOrEqual(t, len(told[what]), n, what)
		require.LessOrEqual(t, len(told[what]), n+1, what)
	}
}
