package s3

import (
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/stretchr/testify/require"
)

// interrupted is a folder whose server stopped at a chosen instant of a put.
type interrupted struct {
	t   *testing.T
	dir string
	s   *Server
	b   *bucket
}

func interrupt(t *testing.T) *interrupted {
	dir := t.TempDir()
	s, err := Open(Options{
		Dir: dir, Keys: map[string]Key{testKey: {Secret: testSecret}}, NoSync: true,
		Logger: slog.New(slog.DiscardHandler), Notifiers: map[string]Notifier{testARN: &inbox{down: true}},
	})
	require.NoError(t, err)
	require.NoError(t, s.CreateBucket("uploads"))
	require.NoError(t, s.SetNotification("uploads", rule("", "", notification.ObjectCreatedAll)))
	b, err := s.st.bucket("uploads")
	require.NoError(t, err)
	return &interrupted{t, dir, s, b}
}

// staged writes a blob as far as the commit log.
func (i *interrupted) staged(key, data string) (*staged, *record) {
	st, err := i.s.st.stage()
	require.NoError(i.t, err)
	require.NoError(i.t, st.readFrom(newPayload(strings.NewReader(data), -1, minio.ChecksumNone)))
	m := &meta{Key: key, ETag: "etag of " + data}
	require.NoError(i.t, i.s.st.seal(i.b, st, m))
	body := `{"EventName":"s3:ObjectCreated:Put","Key":"uploads/` + key + `","Records":[{}]}`
	return st, &record{Op: opPut, Bucket: "uploads", Key: key, Version: m.Version, Sequence: m.Sequence, ID: st.id, Events: []event{{ID: uuid.NewString(), ARN: testARN, Body: []byte(body)}}}
}

// reopened opens the folder again and returns what it holds and what it told.
func (i *interrupted) reopened(events int) (objects map[string]string, told []string) {
	require.NoError(i.t, i.s.Close())
	in := &inbox{}
	e, b := notified(i.t, i.dir, in)
	eventually(i.t, func() bool { return len(in.got()) >= events }, "events")
	objects = map[string]string{}
	for _, o := range must(e.st.bucket(b)).index.list("", "", "", 100).objects {
		objects[o.key] = e.read(i.t, b, o.key)
	}
	require.NoError(i.t, e.Close())
	for _, ev := range in.got() {
		told = append(told, strings.TrimPrefix(ev.Key, "uploads/"))
	}
	left, err := readNames(filepath.Join(i.dir, "tmp"))
	require.NoError(i.t, err)
	require.Empty(i.t, left)
	return objects, told
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestStoppedBeforeTheCommit(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	i.staged("key", "data")
	objects, told := i.reopened(0)
	require.Empty(t, objects)
	require.Empty(t, told)
}

func TestStoppedWithinTheCommit(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	_, rec := i.staged("key", "data")
	frame, err := encodeFrame(rec)
	require.NoError(t, err)
	seg := i.s.st.j.cur
	_, err = seg.f.WriteAt(frame[:len(frame)-1], seg.size)
	require.NoError(t, err)
	seg.hold(0) // keeps the segment on the disk
	objects, told := i.reopened(0)
	require.Empty(t, objects)
	require.Empty(t, told)
}

func TestStoppedAfterTheCommit(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	_, rec := i.staged("key", "data")
	_, err := i.s.st.j.append(rec)
	require.NoError(t, err)
	objects, told := i.reopened(1)
	require.Equal(t, map[string]string{"key": "data"}, objects)
	require.Equal(t, []string{"key"}, told)
	objects, told = i.reopened(0)
	require.Equal(t, map[string]string{"key": "data"}, objects)
	require.Empty(t, told, "it is told once")
}

// Whatever was shown before the stop, the last change of each key wins.
func TestReplayOfManyChanges(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	for _, c := range []struct {
		key, data string
		shown     bool
	}{
		{"a", "1", true}, {"a", "", true}, {"a", "2", true}, // put, removed, put: all shown
		{"b", "1", true}, {"b", "2", false}, // overwritten, not shown
		{"c", "1", true}, {"c", "", false}, // removed, not shown
		{"d", "1", false}, {"d", "2", false}, {"d", "3", false},
	} {
		rec := &record{Op: opDelete, Bucket: "uploads", Key: c.key, Sequence: i.s.st.nextSequence()}
		var st *staged
		if c.data != "" {
			st, rec = i.staged(c.key, c.data)
		}
		_, err := i.s.st.j.append(rec)
		require.NoError(t, err)
		switch {
		case !c.shown:
		case st != nil:
			require.NoError(t, os.Rename(st.path, i.b.objectPath(c.key, "")))
		default:
			require.NoError(t, os.Remove(i.b.objectPath(c.key, "")))
		}
	}
	objects, told := i.reopened(8)
	require.Equal(t, map[string]string{"a": "2", "b": "2", "d": "3"}, objects)
	require.ElementsMatch(t, []string{"a", "a", "b", "b", "c", "d", "d", "d"}, told)
}

func TestFailedLogRefusesWrites(t *testing.T) {
	t.Parallel()
	e, b := bucketed(t, Options{})
	e.put(t, b, "before", "x")
	_ = e.st.j.fail(fs.ErrInvalid)
	require.Equal(t, "ServiceUnavailable", e.signed(t, "PUT", "/"+b+"/after", []byte("x")).code(t))
	require.Equal(t, "x", e.read(t, b, "before"), "reads go on")
}

func TestDamagedObjectIsNotServed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "blob")
	for _, content := range []string{"", "short", strings.Repeat("x", 100), strings.Repeat("x", 100) + footerMagic + strings.Repeat("\xff", 16)} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, _, err := openBlob(path)
		require.ErrorIs(t, err, errBadBlob)
	}
}

func TestLargeMetadata(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	defer func() { require.NoError(t, i.s.Close()) }()
	st, err := i.s.st.stage()
	require.NoError(t, err)
	defer st.discard()
	require.NoError(t, st.readFrom(newPayload(strings.NewReader("data"), -1, minio.ChecksumNone)))
	m := &meta{Key: "key", Parts: make([]objectPart, 10_000)}
	require.NoError(t, st.seal(m))
	f, got, err := openBlob(st.path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	require.Len(t, got.Parts, 10_000)
	data, err := io.ReadAll(io.NewSectionReader(f, 0, got.Size))
	require.NoError(t, err)
	require.Equal(t, "data", string(data))
}

// Versions, delete markers and attributes are found again from the log alone.
func TestReplayOfVersions(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	s := i.s.st
	require.NoError(t, s.configure(i.b, func(c *bucketConf) { c.Versioning = versioningEnabled }))
	put := func(data string) *record {
		_, rec := i.staged("key", data)
		return rec
	}
	attributed := func(r *record, tags string) *record {
		return &record{Op: opAttributes, Bucket: r.Bucket, Key: r.Key, Version: r.Version, Sequence: r.Sequence, Attributes: &attributes{Tags: tags}}
	}
	one, two, three := put("1"), put("2"), put("3")
	mark := &record{Op: opMark, Bucket: "uploads", Key: "key", Version: uuid.NewString(), Sequence: s.nextSequence()}
	gone := &record{Op: opMark, Bucket: "uploads", Key: "gone", Version: uuid.NewString(), Sequence: s.nextSequence()}
	_, err := s.j.append(
		one, attributed(one, "a=1"), two, attributed(two, "b=1"), three, mark, attributed(one, "a=2"),
		&record{Op: opDelete, Bucket: "uploads", Key: "key", Version: two.Version, Sequence: two.Sequence}, gone,
		&record{Op: opDelete, Bucket: "uploads", Key: "gone", Version: gone.Version, Sequence: gone.Sequence},
	)
	require.NoError(t, err)
	for range 2 { // what is found is found again
		require.NoError(t, i.s.Close())
		e := start(t, Options{Dir: i.dir, NoSync: true})
		require.Equal(t, []string{"key -*", "key 3", "key 1"}, e.history(t, "uploads", ""))
		require.Equal(t, "a=2", e.tags(t, "uploads", "key", one.Version))
		require.Empty(t, e.tags(t, "uploads", "key", three.Version))
		i.s = e.Server
	}
}

// A new bucket has nothing of an earlier one with its name.
func TestReplayKnowsBucketsApart(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	_, err := i.s.st.j.append(&record{Op: opMark, Bucket: "uploads", Key: "key", Sequence: i.s.st.nextSequence()})
	require.NoError(t, err)
	require.NoError(t, i.s.st.deleteBucket("uploads", true))
	require.NoError(t, i.s.CreateBucket("uploads"))
	require.NoError(t, i.s.Close())
	e := start(t, Options{Dir: i.dir, NoSync: true})
	require.Empty(t, e.history(t, "uploads", ""))
}

// What an older segment says is not done again once a newer one is settled.
func TestSegmentsSettleInOrder(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	j := i.s.st.j
	appended := func(r *record) *segment {
		p, err := j.append(r)
		require.NoError(t, err)
		next, err := j.create(p[0].seg.number + 1)
		require.NoError(t, err)
		j.seal()
		j.cur = next
		return p[0].seg
	}
	older := appended(&record{Op: opDelete, Bucket: "uploads", Key: "a", Sequence: 1})
	newer := appended(&record{Op: opDelete, Bucket: "uploads", Key: "b", Sequence: 2})
	newer.applied()
	<-newer.idle
	require.False(t, newer.isSettled())
	older.applied()
	<-newer.done
	require.True(t, older.isSettled() && newer.isSettled())
	require.NoError(t, i.s.Close())
}

// A change that cannot be done again keeps the folder from being opened: it is
// not forgotten.
func TestReplayForgetsNothing(t *testing.T) {
	t.Parallel()
	i := interrupt(t)
	_, err := i.s.st.j.append(&record{Op: opMark, Bucket: "uploads", Key: "key", Sequence: i.s.st.nextSequence()})
	require.NoError(t, err)
	require.NoError(t, i.s.Close())
	inTheWay := i.b.objectPath("key", "")
	require.NoError(t, os.Mkdir(inTheWay, 0o700))
	o := Options{Dir: i.dir, Keys: map[string]Key{testKey: {Secret: testSecret}}, NoSync: true, Logger: slog.New(slog.DiscardHandler)}
	for range 2 {
		_, err = Open(o)
		require.ErrorContains(t, err, "redo mark of key in uploads")
	}
	require.NoError(t, os.Remove(inTheWay))
	require.Equal(t, []string{"key -*"}, start(t, o).history(t, "uploads", ""))
}
