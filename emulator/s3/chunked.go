package s3

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
)

// The kinds of aws-chunked bodies, as x-amz-content-sha256 names them.
const (
	streamingSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamingSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

const (
	maxChunkLine    = 512
	maxTrailerBytes = 16 << 10
)

// chunkSigner computes the signature of a chunk from the one before it.
type chunkSigner struct {
	key         []byte
	date, scope string
	prev        string
}

func (s *chunkSigner) chunk(sum []byte) string {
	s.prev = s.sign("AWS4-HMAC-SHA256-PAYLOAD", emptySHA256+"\n"+hex.EncodeToString(sum))
	return s.prev
}

func (s *chunkSigner) trailer(lines string) string {
	s.prev = s.sign("AWS4-HMAC-SHA256-TRAILER", hexSHA256(lines))
	return s.prev
}

func (s *chunkSigner) sign(kind, rest string) string {
	toSign := strings.Join([]string{kind, s.date, s.scope, s.prev, rest}, "\n")
	return hex.EncodeToString(hmacSHA256(s.key, toSign))
}

// chunkedReader decodes an aws-chunked body. A chunk's bytes are handed out as
// they come; its signature is checked at its end, so that whoever reads must
// keep nothing before EOF.
type chunkedReader struct {
	br       *bufio.Reader
	signer   *chunkSigner // nil when chunks are unsigned
	trailing bool
	trailers map[string]string // set at EOF, names in lower case

	left int64 // of the current chunk
	open bool  // inside a chunk
	sum  hash.Hash
	sig  string
	err  error
}

func newChunkedReader(r io.Reader, signer *chunkSigner, trailing bool) *chunkedReader {
	return &chunkedReader{br: bufio.NewReader(r), signer: signer, trailing: trailing, sum: sha256.New()}
}

func (c *chunkedReader) Read(p []byte) (int, error) {
	for c.err == nil {
		switch {
		case !c.open:
			c.err = c.begin()
		case c.left == 0:
			c.err = c.end()
		case len(p) == 0:
			return 0, nil
		default:
			n, err := c.br.Read(p[:min(int64(len(p)), c.left)])
			c.left -= int64(n)
			if c.signer != nil {
				_, _ = c.sum.Write(p[:n])
			}
			c.err = truncated(err)
			return n, nil
		}
	}
	return 0, c.err
}

// begin reads a chunk's header; the last chunk is dealt with at once.
func (c *chunkedReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, ext, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil {
		return errMalformedChunk.because(err)
	}
	c.left, c.open = int64(n), true
	if c.signer != nil {
		sig, ok := strings.CutPrefix(ext, "chunk-signature=")
		if !ok {
			return errMalformedChunk
		}
		c.sig = sig
		c.sum.Reset()
	}
	if n > 0 {
		return nil
	}
	if err := c.verify(); err != nil {
		return err
	}
	return c.last()
}

func (c *chunkedReader) end() error {
	var crlf [2]byte
	if _, err := io.ReadFull(c.br, crlf[:]); err != nil {
		return truncated(err)
	}
	if string(crlf[:]) != "\r\n" {
		return errMalformedChunk
	}
	c.open = false
	return c.verify()
}

func (c *chunkedReader) verify() error {
	if c.signer == nil {
		return nil
	}
	if !sameSignature(c.signer.chunk(c.sum.Sum(nil)), c.sig) {
		return errSignatureMismatch
	}
	return nil
}

// last reads what follows the empty chunk, to the end of the body, and returns
// io.EOF when all is well.
func (c *chunkedReader) last() error {
	rest, err := io.ReadAll(io.LimitReader(c.br, maxTrailerBytes+1))
	if err != nil {
		return err
	}
	if len(rest) > maxTrailerBytes {
		return errMalformedChunk
	}
	c.trailers = map[string]string{}
	var signed strings.Builder
	signature := ""
	for line := range strings.SplitSeq(string(rest), "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !ok || !c.trailing || c.trailers[name] != "" {
			return errMalformedChunk
		}
		if name == "x-amz-trailer-signature" {
			signature = value
			continue
		}
		c.trailers[name] = value
		signed.WriteString(name + ":" + value + "\n")
	}
	if c.signer != nil && c.trailing && !sameSignature(c.signer.trailer(signed.String()), signature) {
		return errSignatureMismatch
	}
	return io.EOF
}

// line reads a line that ends with CRLF, without it.
func (c *chunkedReader) line() (string, error) {
	var b []byte
	for len(b) <= maxChunkLine {
		ch, err := c.br.ReadByte()
		if err != nil {
			return "", truncated(err)
		}
		b = append(b, ch)
		if n := len(b); n >= 2 && b[n-2] == '\r' && b[n-1] == '\n' {
			return string(b[:len(b)-2]), nil
		}
	}
	return "", errMalformedChunk
}

// truncated says that a body ended where it must not.
func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
