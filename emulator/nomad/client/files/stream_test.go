package files_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/client/files"
)

func TestStreamFromAnOffset(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/a", "hello")
	for _, c := range []struct {
		offset int64
		origin string
		want   string
	}{
		{0, api.OriginStart, "hello"}, {2, api.OriginStart, "llo"}, {9, api.OriginStart, ""},
		{2, api.OriginEnd, "lo"}, {0, api.OriginEnd, ""}, {9, api.OriginEnd, "hello"},
	} {
		var got collector
		request := files.StreamRequest{Path: "web/local/a", Offset: c.offset, Origin: c.origin}
		require.NoError(t, directory.Stream(t.Context(), request, got.send))
		assert.Equal(t, c.want, got.text())
		for _, frame := range got.frames {
			assert.Equal(t, int64(5), frame.Offset)
			assert.Equal(t, "web/local/a", frame.File)
		}
	}
	err := directory.Stream(t.Context(), files.StreamRequest{Path: "web/local/a", Offset: -1}, new(collector).send)
	requireRefused(t, err, http.StatusInternalServerError, "can't seek to offset -1: seek "+dir+"/web/local/a: invalid argument")
}

func TestStreamIsFramed(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	text := strings.Repeat("0123456789", 15_000)
	write(t, dir, "web/local/a", text)
	var got collector
	require.NoError(t, directory.Stream(t.Context(), files.StreamRequest{Path: "web/local/a"}, got.send))
	require.Len(t, got.frames, 3)
	assert.Len(t, got.frames[0].Data, 64<<10)
	assert.Equal(t, int64(len(text)), got.frames[2].Offset)
	assert.Equal(t, text, got.text())
}

func TestStreamFollows(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	const name = "web/local/a"
	write(t, dir, name, "one")
	synctest.Test(t, func(t *testing.T) {
		var got collector
		ended := make(chan error, 1)
		go func() {
			ended <- directory.Stream(t.Context(), files.StreamRequest{Path: name, Follow: true}, got.send)
		}()
		look := func() { time.Sleep(300 * time.Millisecond); synctest.Wait() }
		look()
		appendTo(t, dir, name, "two")
		look()
		write(t, dir, name, "3")
		look()
		time.Sleep(2 * time.Second)
		appendTo(t, dir, name, "4")
		require.NoError(t, os.Remove(filepath.Join(dir, name)))
		require.NoError(t, <-ended)
		assert.Equal(t, []api.StreamFrame{
			{File: name, Offset: 3, Data: []byte("one")},
			{File: name, Offset: 6, Data: []byte("two")},
			{File: name, Offset: 1, Data: []byte("3"), FileEvent: "file truncated"},
			{File: name, Offset: 2, Data: []byte("4")},
			{File: name, Offset: 2, FileEvent: "file deleted"},
		}, got.frames)
		assert.GreaterOrEqual(t, got.heartbeats, 2)
	})
}

func TestStreamOfAReplacedFileEnds(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/a", "one")
	write(t, dir, "web/local/b", "two")
	synctest.Test(t, func(t *testing.T) {
		var got collector
		ended := make(chan error, 1)
		go func() {
			ended <- directory.Stream(t.Context(), files.StreamRequest{Path: "web/local/a", Follow: true}, got.send)
		}()
		synctest.Wait()
		require.NoError(t, os.Rename(filepath.Join(dir, "web/local/b"), filepath.Join(dir, "web/local/a")))
		require.NoError(t, <-ended)
		assert.Equal(t, "file deleted", got.frames[len(got.frames)-1].FileEvent)
	})
}

func TestStreamEndsWithItsCallers(t *testing.T) {
	t.Parallel()
	directory, dir := newDirectory(t)
	write(t, dir, "web/local/a", "one")
	request := files.StreamRequest{Path: "web/local/a", Follow: true}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, directory.Stream(ctx, request, new(collector).send), context.DeadlineExceeded)
		gone := errors.New("the reader is gone")
		require.ErrorIs(t, directory.Stream(t.Context(), request, func(*api.StreamFrame) error { return gone }), gone)
	})
}
