package s3

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestChunkedDecoding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in       string
		trailing bool
		want     string
		ok       bool
	}{
		"one chunk":            {"4\r\ndata\r\n0\r\n\r\n", false, "data", true},
		"two chunks":           {"4\r\ndata\r\n3\r\n...\r\n0\r\n\r\n", false, "data...", true},
		"empty":                {"0\r\n\r\n", false, "", true},
		"trailer as AWS":       {"1\r\nx\r\n0\r\nx-amz-checksum-crc32:abc\r\n\r\n", true, "x", true},
		"trailer as minio-go":  {"1\r\nx\r\n0\r\nx-amz-checksum-crc32:abc\n\r\n\r\n", true, "x", true},
		"trailer not expected": {"1\r\nx\r\n0\r\nx-amz-checksum-crc32:abc\r\n\r\n", false, "x", false},
		"repeated trailer":     {"0\r\na:b\r\na:c\r\n\r\n", true, "", false},
		"no last chunk":        {"4\r\ndata\r\n", false, "data", false},
		"cut in a chunk":       {"4\r\nda", false, "da", false},
		"no CRLF":              {"4\r\ndataxx0\r\n\r\n", false, "data", false},
		"bad size":             {"z\r\n", false, "", false},
		"negative size":        {"-1\r\n", false, "", false},
		"huge size":            {"ffffffffffffffff\r\n", false, "", false},
		"endless line":         {strings.Repeat("0", 1000), false, "", false},
		"endless trailer":      {"0\r\n" + strings.Repeat("a", 20<<10), true, "", false},
		"nothing":              {"", false, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := io.ReadAll(newChunkedReader(iotest.OneByteReader(strings.NewReader(c.in)), nil, c.trailing))
			require.Equal(t, c.ok, err == nil, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func FuzzChunked(f *testing.F) {
	f.Add("4\r\ndata\r\n0\r\n\r\n", false, false)
	f.Add("4;chunk-signature=ab\r\ndata\r\n0;chunk-signature=cd\r\n\r\n", true, true)
	f.Add("0\r\nx-amz-checksum-crc32:abc\n\r\n\r\n", false, true)
	f.Fuzz(func(t *testing.T, in string, signed, trailing bool) {
		var s *chunkSigner
		if signed {
			s = &chunkSigner{key: []byte("key"), prev: "seed"}
		}
		c := newChunkedReader(strings.NewReader(in), s, trailing)
		got, err := io.ReadAll(c)
		if len(got) > len(in) {
			t.Fatal("more came out than went in")
		}
		if signed && err == nil {
			t.Fatal("a forged signature passed")
		}
		if _, again := c.Read(make([]byte, 1)); err == nil && !errors.Is(again, io.EOF) {
			t.Fatal("the end is not the end")
		}
	})
}
