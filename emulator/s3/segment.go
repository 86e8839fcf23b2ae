package s3

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The files of a segment. A .log is done again by Open; once all of its changes
// are durable in their places it becomes .events, which is the outbox alone;
// .acks says which of its events have been accepted.
const (
	extLog    = ".log"
	extEvents = ".events"
	extAcks   = ".acks"
	ackSize   = 16 // offset of the record, index of the event, CRC-32C of both
)

// segment is one file of the commit log.
type segment struct {
	number uint64
	sync   bool
	log    *slog.Logger
	size   int64 // the committer's alone

	mu        sync.Mutex
	path      string
	f         *os.File
	acks      *os.File
	touched   map[string]struct{} // files and folders that its changes touched
	unapplied int                 // records that the folder may not show yet
	pending   int                 // events not accepted yet
	sealed    bool                // nothing is appended any more
	settled   bool                // its changes are durable in their places

	idle chan struct{} // closed once it is sealed and the folder shows all of it
	done chan struct{} // closed once it has been settled, or will not be in this run
}

// hold counts a record with its events, before anyone can release them.
func (g *segment) hold(events int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unapplied++
	g.pending += events
}

// applied says that the folder shows one record, by changes of the given files
// and folders.
func (g *segment) applied(touched ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unapplied--
	for _, d := range touched {
		g.touched[d] = struct{}{}
	}
	g.retire()
}

// delivered says that an event has been accepted, and remembers it.
func (g *segment) delivered(off int64, index int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pending--
	if g.f == nil {
		return
	}
	if g.pending > 0 || !g.settled {
		if err := g.writeAck(off, index); err != nil {
			g.log.Warn("s3 event may be delivered again after a restart", "error", err)
		}
	}
	g.retire()
}

func (g *segment) writeAck(off int64, index int) error {
	if g.acks == nil {
		name := strings.TrimSuffix(g.path, filepath.Ext(g.path)) + extAcks
		f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open acknowledgements: %w", err)
		}
		g.acks = f
	}
	b := make([]byte, 0, ackSize)
	b = binary.BigEndian.AppendUint64(b, uint64(off))
	b = binary.BigEndian.AppendUint32(b, uint32(index))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
	if _, err := g.acks.Write(b); err != nil {
		return fmt.Errorf("write acknowledgement: %w", err)
	}
	return nil
}

func (g *segment) seal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sealed = true
	g.retire()
}

// retire lets go of what is not needed any more; g.mu is held.
func (g *segment) retire() {
	if !g.sealed || g.unapplied > 0 || g.f == nil {
		return
	}
	select {
	case <-g.idle:
	default:
		close(g.idle)
	}
	if !g.settled || g.pending > 0 {
		return
	}
	g.release()
	if err := g.removeFiles(); err != nil {
		g.log.Warn("s3 log segment not removed", "segment", g.number, "error", err)
	}
}

// settle makes the changes of an idle segment durable, so that they need not be
// done again. All older segments have to be settled: done again later, their
// changes would undo these.
func (g *segment) settle() {
	if err := g.settleFiles(); err != nil {
		g.log.Warn("s3 log segment kept", "segment", g.number, "error", err)
	}
}

func (g *segment) settleFiles() error {
	if g.sync {
		for path := range g.touched { // nobody adds to it any more
			if err := syncPath(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("sync changes: %w", err)
			}
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pending > 0 && !g.settled {
		outbox := strings.TrimSuffix(g.path, extLog) + extEvents
		if err := os.Rename(g.path, outbox); err != nil {
			return fmt.Errorf("keep events: %w", err)
		}
		g.path = outbox
	}
	g.settled = true
	g.touched = nil
	g.retire()
	return nil
}

func (g *segment) isSettled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.settled
}

// removeFiles removes the segment before its acknowledgements: the other order
// would deliver events again after a crash in between.
func (g *segment) removeFiles() error {
	if err := os.Remove(g.path); err != nil {
		return err
	}
	err := os.Remove(strings.TrimSuffix(g.path, filepath.Ext(g.path)) + extAcks)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// release closes the files and leaves them on the disk.
func (g *segment) release() {
	if g.f != nil {
		_ = g.f.Close()
		g.f = nil
	}
	if g.acks != nil {
		_ = g.acks.Close()
		g.acks = nil
	}
}

func (g *segment) released() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.f == nil
}

func (g *segment) closeFiles() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release()
}

// readEvent reads one event of a record back from the disk.
func (g *segment) readEvent(off int64, length, index int) (event, error) {
	g.mu.Lock()
	f := g.f
	g.mu.Unlock()
	if f == nil {
		return event{}, errJournalClosed
	}
	frame := make([]byte, length)
	if _, err := f.ReadAt(frame, off); err != nil {
		return event{}, fmt.Errorf("read event: %w", err)
	}
	r, _, err := decodeFrame(frame)
	if err != nil {
		return event{}, err
	}
	if index >= len(r.Events) {
		return event{}, errBadFrame
	}
	return r.Events[index], nil
}

var errBadFrame = errors.New("damaged commit log record")

func decodeFrame(b []byte) (*record, int, error) {
	if len(b) < frameHeader {
		return nil, 0, errBadFrame
	}
	n := int(binary.BigEndian.Uint32(b))
	if n == 0 || n > maxRecordSize || frameHeader+n > len(b) {
		return nil, 0, errBadFrame
	}
	js := b[frameHeader : frameHeader+n]
	if crc32.Checksum(js, castagnoli()) != binary.BigEndian.Uint32(b[4:]) {
		return nil, 0, errBadFrame
	}
	r := new(record)
	if err := json.Unmarshal(js, r); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errBadFrame, err)
	}
	return r, frameHeader + n, nil
}

// found is a record that Open read back.
type found struct {
	*record
	place
}

// openSegment reads a segment of an earlier run. What follows the first damaged
// record was never acknowledged to anyone and is ignored. The caller owes one
// call of applied once it has done the records again.
func openSegment(path string, sync bool, log *slog.Logger) (*segment, []found, error) {
	number, err := strconv.ParseUint(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), 10, 64)
	if err != nil {
		return nil, nil, fmt.Errorf("log segment name: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open log segment: %w", err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("read log segment: %w", err), f.Close())
	}
	g := &segment{
		number: number, sync: sync, log: log, path: path, f: f, sealed: true, unapplied: 1,
		settled: filepath.Ext(path) == extEvents, touched: map[string]struct{}{},
		idle: make(chan struct{}), done: make(chan struct{}),
	}
	var recs []found
	if len(b) < len(segmentMagic) || string(b[:len(segmentMagic)]) != segmentMagic {
		return g, nil, nil
	}
	for off := len(segmentMagic); off < len(b); {
		r, n, err := decodeFrame(b[off:])
		if err != nil {
			break
		}
		recs = append(recs, found{r, place{seg: g, off: int64(off), len: n}})
		off += n
	}
	return g, recs, nil
}

type ackKey struct {
	off   int64
	index int
}

// readAcks returns the events of a segment that have been accepted.
func readAcks(segmentPath string) (map[ackKey]bool, error) {
	b, err := os.ReadFile(strings.TrimSuffix(segmentPath, filepath.Ext(segmentPath)) + extAcks)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read acknowledgements: %w", err)
	}
	acks := make(map[ackKey]bool, len(b)/ackSize)
	for ; len(b) >= ackSize; b = b[ackSize:] {
		if crc32.Checksum(b[:12], castagnoli()) == binary.BigEndian.Uint32(b[12:]) {
			acks[ackKey{int64(binary.BigEndian.Uint64(b)), int(binary.BigEndian.Uint32(b[8:]))}] = true
		}
	}
	return acks, nil
}
