package files

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	// frameSize is the most data in one frame, in bytes.
	frameSize = 64 << 10
	// heartbeat is the time between the empty frames that keep a connection alive.
	heartbeat = time.Second
	// pollInterval is the time between two looks at a file that is followed: looking costs next to nothing, and works on
	// every file system.
	pollInterval = 100 * time.Millisecond
)

// What may happen to a file that is followed, as frames tell it.
const (
	fileDeleted   = "file deleted"
	fileTruncated = "file truncated"
)

// Send takes the next frame. It may block, which holds the stream back, and may not keep the frame; its error ends the stream.
type Send func(*api.StreamFrame) error

// follow calls step again and again until it is done, with heartbeats in between.
func follow(ctx context.Context, send Send, step func() (done bool, err error)) error {
	poll, beat := time.NewTicker(pollInterval), time.NewTicker(heartbeat)
	defer poll.Stop()
	defer beat.Stop()
	for {
		if done, err := step(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			if err := send(&api.StreamFrame{}); err != nil {
				return err
			}
		case <-poll.C:
		}
	}
}

// tail sends what is in a file from an offset on.
type tail struct {
	name   string // as the frames have it
	file   *os.File
	offset int64 // of what is sent next
	send   Send
	event  string // to be told with the next frame
	buffer []byte
}

func newTail(name string, file *os.File, offset int64, send Send) *tail {
	return &tail{name: name, file: file, offset: offset, send: send, buffer: make([]byte, frameSize)}
}

// drain sends all that is in the file by now.
func (t *tail) drain(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := t.file.ReadAt(t.buffer, t.offset)
		if n > 0 {
			if err := t.sendFrame(t.buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
	return ctx.Err()
}

func (t *tail) sendFrame(data []byte) error {
	t.offset += int64(len(data))
	event := t.event
	t.event = ""
	return t.send(&api.StreamFrame{Offset: t.offset, Data: data, File: t.name, FileEvent: event})
}

// checkTruncated begins anew when the file is shorter than what was sent of it.
func (t *tail) checkTruncated() error {
	about, err := t.file.Stat()
	if err != nil {
		return err
	}
	if about.Size() < t.offset {
		t.offset, t.event = 0, fileTruncated
	}
	return nil
}
