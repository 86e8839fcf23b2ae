package s3

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/tags"
	"github.com/stretchr/testify/require"
)

const crashVersions = "DRYDOCK_S3_CRASH_VERSIONS" // set besides crashDir: change versions

// versionsHelper is the process that TestKilledServerKeepsVersions kills: it
// makes, tags and removes versions without end and says on standard output what
// it tries and what was acknowledged.
func versionsHelper(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	s, err := Open(Options{Dir: dir, Keys: map[string]Key{testKey: {Secret: testSecret}}, Logger: slog.New(slog.DiscardHandler)})
	fail(err)
	fail(s.CreateBucket("uploads"))
	c, err := minio.New(strings.TrimPrefix(httptest.NewServer(s).URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(testKey, testSecret, ""), Region: "us-east-1", MaxRetries: 1,
	})
	fail(err)
	ctx := context.Background()
	fail(c.EnableVersioning(ctx, "uploads"))
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			key := fmt.Sprintf("%d/%d", os.Getpid(), w)
			say := func(op, version string) { fmt.Printf("%s %s %s\n", op, key, version) }
			var live []string
			for i := 0; ; i++ {
				switch n := rand.IntN(10); {
				case n < 5 || len(live) == 0:
					say("try", "put")
					info, err := c.PutObject(ctx, "uploads", key, strings.NewReader("data"), 4, minio.PutObjectOptions{})
					fail(err)
					say("add", info.VersionID)
					live = append(live, info.VersionID)
				case n < 7:
					version := live[rand.IntN(len(live))]
					say("try", "tag:"+version)
					set, err := tags.MapToObjectTags(map[string]string{"n": fmt.Sprint(i)})
					fail(err)
					fail(c.PutObjectTagging(ctx, "uploads", key, set, minio.PutObjectTaggingOptions{VersionID: version}))
					say(fmt.Sprintf("tag:n=%d", i), version)
				case n < 8:
					say("try", "gone:"+live[0])
					fail(c.RemoveObject(ctx, "uploads", key, minio.RemoveObjectOptions{VersionID: live[0]}))
					say("gone", live[0])
					live = live[1:]
				default:
					say("try", "mark")
					results := c.RemoveObjectsWithResult(ctx, "uploads", one(key), minio.RemoveObjectsOptions{})
					for r := range results {
						fail(r.Err)
						say("add", r.DeleteMarkerVersionID)
					}
				}
			}
		})
	}
	wg.Wait()
}

func one(key string) <-chan minio.ObjectInfo {
	c := make(chan minio.ObjectInfo, 1)
	c <- minio.ObjectInfo{Key: key}
	close(c)
	return c
}

// lineage is what one key went through, as far as the helper could tell.
type lineage struct {
	versions []string // oldest first
	tags     map[string]string
	pending  string // what had no answer
}

// What has been acknowledged of versions is there after any kill: each in its
// order, with its tags.
func TestKilledServerKeepsVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := map[string]*lineage{}
	for range 3 {
		killVersions(t, dir, keys)
	}
	s, err := Open(Options{Dir: dir, Keys: map[string]Key{testKey: {Secret: testSecret}}, Logger: slog.New(slog.DiscardHandler), NoSync: true})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	b, err := s.st.bucket("uploads")
	require.NoError(t, err)
	acked := 0
	for key, l := range keys {
		acked += len(l.versions)
		l.check(t, b, key)
	}
	require.Greater(t, acked, 20)
	left, err := os.ReadDir(filepath.Join(dir, "tmp"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func killVersions(t *testing.T, dir string, keys map[string]*lineage) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashVersions+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	limit := 60 + rand.IntN(150) // lines, so that the kill comes at work
	sc := bufio.NewScanner(out)
	for n := 0; sc.Scan(); n++ {
		var op, key, what string
		_, _ = fmt.Sscan(sc.Text(), &op, &key, &what)
		if keys[key] == nil {
			keys[key] = &lineage{tags: map[string]string{}}
		}
		keys[key].say(op, what)
		if n == limit {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait(), "it was killed")
}

func (l *lineage) say(op, what string) {
	if op == "try" {
		l.pending = what
		return
	}
	l.pending = ""
	switch op {
	case "add":
		l.versions = append(l.versions, what)
	case "gone":
		l.versions = slices.DeleteFunc(l.versions, func(v string) bool { return v == what })
	default:
		l.tags[what] = strings.TrimPrefix(op, "tag:")
	}
}

func (l *lineage) check(t *testing.T, b *bucket, key string) {
	t.Helper()
	kind, version, _ := strings.Cut(l.pending, ":")
	var found []string
	it, ok := b.index.item(key)
	if !ok {
		require.True(t, len(l.versions) == 0 || kind == "gone" && len(l.versions) == 1)
		return
	}
	for _, e := range it.newestFirst() {
		found = append([]string{e.version}, found...)
		if kind != "tag" || version != e.version {
			require.Equal(t, l.tags[e.version], e.attributes.get().Tags)
		}
		f, m, err := openBlob(b.objectPath(key, e.version))
		require.NoError(t, err)
		require.NoError(t, f.Close())
		require.Equal(t, e.version, m.Version)
	}
	want := l.versions
	switch {
	case (kind == "put" || kind == "mark") && len(found) == len(want)+1:
		found = found[:len(found)-1] // it was done, though nobody was told
	case kind == "gone" && len(found) == len(want)-1:
		want = slices.DeleteFunc(slices.Clone(want), func(v string) bool { return v == version })
	}
	require.Equal(t, want, found, "%s, %s", key, l.pending)
}
