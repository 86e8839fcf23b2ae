package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Streams of a container, as the engine numbers them.
const (
	streamStdin = iota
	streamStdout
	streamStderr
)

// split takes the stream of a container apart: pieces with a header of eight
// bytes, the number of the stream first and the length last; that of a terminal
// has no headers and is all standard output. It returns at the end of the stream.
func split(from io.Reader, tty bool, stdout, stderr io.Writer) error {
	if tty {
		_, err := io.Copy(stdout, from)
		return err
	}
	var header [8]byte
	for {
		switch _, err := io.ReadFull(from, header[:]); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read the stream of a container: %w", err)
		}
		to := stdout
		switch header[0] {
		case streamStdin, streamStdout:
		case streamStderr:
			to = stderr
		default:
			return fmt.Errorf("read the stream of a container: there is no stream %d", header[0])
		}
		if _, err := io.CopyN(to, from, int64(binary.BigEndian.Uint32(header[4:]))); err != nil {
			return fmt.Errorf("read the stream of a container: %w", err)
		}
	}
}
