package agents

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
)

// lastLines is what the program has said last, for a message.
func (a Agent) lastLines() string {
	const most, tail = 12, 8 << 10
	text, err := readTail(a.LogFile(), tail)
	if err != nil {
		return "its log cannot be read: " + err.Error()
	}
	said := strings.TrimSpace(string(text))
	if said == "" {
		return "it said nothing in " + a.LogFile()
	}
	lines := strings.Split(said, "\n")
	lines = lines[max(0, len(lines)-most):]
	return fmt.Sprintf("the end of %s:\n  %s", a.LogFile(), strings.Join(lines, "\n  "))
}

// readTail reads the last whole lines of a file, of about as many bytes.
func readTail(path string, size int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-size)
	text, err := io.ReadAll(io.NewSectionReader(file, from, size))
	if from > 0 {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text, err
}
