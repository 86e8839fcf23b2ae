package s3

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// The operations a record can hold.
const (
	opPut        = "put"        // a version that is staged in tmp/
	opDelete     = "delete"     // a version goes
	opMark       = "mark"       // a delete marker, which the record describes whole
	opAttributes = "attributes" // what may change of a version
)

// record is one committed change together with the events it causes.
type record struct {
	Op     string `json:"op"`
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	// Version and Sequence are those of the version that is written, changed or
	// removed.
	Version    string      `json:"version,omitempty"`
	Sequence   int64       `json:"sequence,omitempty"`
	ID         string      `json:"id,omitempty"`      // of the blob in tmp/, for a put
	Upload     string      `json:"upload,omitempty"`  // the multipart upload that ends with it
	Modified   time.Time   `json:"modified,omitzero"` // of a delete marker
	Attributes *attributes `json:"attributes,omitempty"`
	Events     []event     `json:"events,omitempty"`
}

// event is one notification for one destination.
type event struct {
	ID   string          `json:"id"`
	ARN  string          `json:"arn"`
	Body json.RawMessage `json:"body"`
}

// place is where a record lies in the log.
type place struct {
	seg *segment
	off int64
	len int
}

const (
	segmentMagic  = "DRYLOG01"
	frameHeader   = 8 // length and CRC-32C of the payload
	segmentLimit  = 8 << 20
	maxRecordSize = 16 << 20
)

var errJournalClosed = errors.New("commit log closed")

// journal is the commit log. Concurrent appends share one write and one sync.
type journal struct {
	dir  string
	sync bool
	tmp  *os.File // the tmp folder: synced so that what a record names is there
	log  *slog.Logger

	mu     sync.Mutex
	queue  []*appending
	failed error // set once the disk cannot be trusted any more
	closed bool
	kick   chan struct{}
	wg     sync.WaitGroup

	cur *segment // the committer's alone

	sealed   *segment      // the last one that was sealed; the committer's alone
	stop     chan struct{} // closed when there is no more waiting for segments
	settling sync.WaitGroup

	liveMu sync.Mutex
	live   []*segment // whose files may be open
}

type appending struct {
	frames [][]byte
	events []int // how many each record holds
	puts   bool
	places []place
	err    error
	done   chan struct{}
}

// newJournal starts a log whose next segment has the given number; it takes over
// the segments of earlier runs.
func newJournal(dir string, tmp *os.File, sync bool, next uint64, old []*segment, log *slog.Logger) (*journal, error) {
	j := &journal{
		dir: dir, sync: sync, tmp: tmp, log: log, kick: make(chan struct{}, 1), live: old,
		stop: make(chan struct{}),
	}
	if len(old) > 0 {
		j.sealed = old[len(old)-1]
	}
	seg, err := j.create(next)
	if err != nil {
		return nil, err
	}
	j.cur = seg
	j.wg.Go(j.run)
	return j, nil
}

func encodeFrame(r *record) ([]byte, error) {
	js, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	if len(js) > maxRecordSize {
		return nil, fmt.Errorf("record of %d bytes is too large", len(js))
	}
	b := make([]byte, 0, frameHeader+len(js))
	b = binary.BigEndian.AppendUint32(b, uint32(len(js)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(js, castagnoli()))
	return append(b, js...), nil
}

// append returns once the records are durable. The caller owes each returned
// place a call of segment.applied when the folder shows the change, and one of
// segment.delivered for each event.
func (j *journal) append(recs ...*record) ([]place, error) {
	a := &appending{done: make(chan struct{})}
	for _, r := range recs {
		frame, err := encodeFrame(r)
		if err != nil {
			return nil, err
		}
		a.frames = append(a.frames, frame)
		a.events = append(a.events, len(r.Events))
		a.puts = a.puts || r.Op == opPut
	}
	j.mu.Lock()
	switch {
	case j.closed:
		j.mu.Unlock()
		return nil, errUnavailable.because(errJournalClosed)
	case j.failed != nil:
		j.mu.Unlock()
		return nil, errUnavailable.because(j.failed)
	}
	j.queue = append(j.queue, a)
	j.mu.Unlock()
	j.wake()
	<-a.done
	return a.places, a.err
}

func (j *journal) wake() {
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

func (j *journal) run() {
	for range j.kick {
		j.mu.Lock()
		batch, closed := j.queue, j.closed
		j.queue = nil
		j.mu.Unlock()
		if len(batch) > 0 {
			err := j.commit(batch)
			for _, a := range batch {
				a.err = err
				close(a.done)
			}
		}
		if closed {
			return
		}
	}
}

// commit writes and syncs one batch; on failure none of it is in the log.
func (j *journal) commit(batch []*appending) error {
	var buf []byte
	puts := false
	for _, a := range batch {
		puts = puts || a.puts
		for _, f := range a.frames {
			buf = append(buf, f...)
		}
	}
	if j.sync && puts {
		if err := j.tmp.Sync(); err != nil {
			return j.fail(fmt.Errorf("sync tmp: %w", err))
		}
	}
	if j.cur.size+int64(len(buf)) > segmentLimit && j.cur.size > int64(len(segmentMagic)) {
		seg, err := j.create(j.cur.number + 1)
		if err != nil {
			return err
		}
		j.seal()
		j.cur = seg
	}
	seg := j.cur
	if _, err := seg.f.WriteAt(buf, seg.size); err != nil {
		if terr := seg.f.Truncate(seg.size); terr != nil {
			return j.fail(fmt.Errorf("write commit log: %w", errors.Join(err, terr)))
		}
		return fmt.Errorf("write commit log: %w", err)
	}
	if j.sync {
		if err := syncData(seg.f); err != nil {
			return j.fail(fmt.Errorf("sync commit log: %w", err))
		}
	}
	for _, a := range batch {
		for i, f := range a.frames {
			seg.hold(a.events[i])
			a.places = append(a.places, place{seg: seg, off: seg.size, len: len(f)})
			seg.size += int64(len(f))
		}
	}
	return nil
}

// seal ends the current segment and settles it when its time has come: once
// nothing of it is under way and all before it are settled.
func (j *journal) seal() {
	g, before := j.cur, j.sealed
	j.sealed = g
	g.seal()
	j.settling.Go(func() {
		defer close(g.done)
		if before != nil {
			<-before.done
			if !before.isSettled() {
				return
			}
		}
		select {
		case <-g.idle:
		default:
			select {
			case <-g.idle:
			case <-j.stop:
				return
			}
		}
		g.settle()
	})
}

// fail makes every later append fail: after a failed sync the kernel may have
// dropped pages, so that only a new start can tell what is on the disk.
func (j *journal) fail(err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failed = err
	j.log.Error("s3 commit log failed, writes are refused until it is opened again", "error", err)
	return errUnavailable.because(err)
}

func (j *journal) create(number uint64) (*segment, error) {
	path := filepath.Join(j.dir, fmt.Sprintf("%020d%s", number, extLog))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create log segment: %w", err)
	}
	if _, err := f.WriteString(segmentMagic); err != nil {
		return nil, errors.Join(fmt.Errorf("create log segment: %w", err), f.Close(), os.Remove(path))
	}
	if j.sync {
		if err := errors.Join(f.Sync(), syncPath(j.dir)); err != nil {
			return nil, errors.Join(fmt.Errorf("create log segment: %w", err), f.Close(), os.Remove(path))
		}
	}
	g := &segment{
		number: number, path: path, f: f, size: int64(len(segmentMagic)),
		sync: j.sync, log: j.log, touched: map[string]struct{}{},
		idle: make(chan struct{}), done: make(chan struct{}),
	}
	j.liveMu.Lock()
	defer j.liveMu.Unlock()
	j.live = append(slices.DeleteFunc(j.live, (*segment).released), g)
	return g, nil
}

// close waits for the appends under way, refuses others and closes the files.
// The caller has seen to it that nobody reads events any more.
func (j *journal) close() {
	j.mu.Lock()
	was := j.closed
	j.closed = true
	j.mu.Unlock()
	if was {
		return
	}
	j.wake()
	j.wg.Wait()
	j.seal()
	close(j.stop)
	j.settling.Wait()
	j.liveMu.Lock()
	defer j.liveMu.Unlock()
	for _, g := range j.live {
		g.closeFiles()
	}
}

// syncPath syncs a file or a folder.
func syncPath(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
