package state

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The form of a snapshot is that which the official program counts the rows of:
// MessagePack, an empty map and then a byte and a value for each row. Here the
// values are texts: the lines that the store writes.
const (
	frameHead byte = 0x80 // an empty map
	frameText byte = 0xdb // a text whose length follows in four bytes
)

// otherKind is the byte of rows that the real servers have none for.
const otherKind byte = 127

// maxFrame bounds a row, in bytes.
const maxFrame = 64 << 20

// kinds are the bytes of the rows, by table.
func kinds() map[string]byte {
	return map[string]byte{
		TableNodes: 0, TableJobs: 1, "marks": 2, TableEvaluations: 3, TableAllocations: 4, tableLaunches: 6,
		TableSummaries: 7, TableJobVersions: 9, TableDeployments: 10, TableACLPolicies: 11, TableACLTokens: 12,
		TableSchedulerConfiguration: 13, TableScalingPolicies: 16, TableScalingEvents: 19, TableServices: 21,
		TableVariables: 22, TableACLRoles: 25, TableACLAuthMethods: 26, TableACLBindingRules: 27, TableNodePools: 28,
		tableSubmissions: 29, TableRootKeys: 30, TableHostVolumes: 31, TableNamespaces: 64,
	}
}

// frame writes lines, each of which is a list of one row, as frames.
func frame(to io.Writer, lines []byte) error {
	kinds := kinds()
	out := bufio.NewWriter(to)
	out.WriteByte(frameHead)
	for line := range bytes.Lines(lines) {
		var rows []struct {
			Table string `json:"t"`
		}
		if err := json.Unmarshal(line, &rows); err != nil || len(rows) != 1 {
			return fmt.Errorf("frame a row of the state: %w", errors.Join(err, errFrame))
		}
		kind, known := kinds[rows[0].Table]
		if !known {
			kind = otherKind
		}
		out.WriteByte(kind)
		out.WriteByte(frameText)
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(line))))
		out.Write(line)
	}
	return out.Flush() // which has the errors of all that was written
}

// errFrame is about a snapshot that was not made here: those of the real
// program have rows of its own.
var errFrame = errors.New("the snapshot's rows are not those of this program")

// unframe reads frames, and returns their lines.
func unframe(from io.Reader) ([]byte, error) {
	in := bufio.NewReader(from)
	head, err := in.ReadByte()
	if err != nil || head != frameHead {
		return nil, errors.Join(err, errFrame)
	}
	var lines bytes.Buffer
	for {
		var start [6]byte
		if _, err := io.ReadFull(in, start[:]); errors.Is(err, io.EOF) {
			return lines.Bytes(), nil
		} else if err != nil {
			return nil, fmt.Errorf("read a row of the snapshot: %w", err)
		}
		length := binary.BigEndian.Uint32(start[2:])
		if start[1] != frameText || length > maxFrame {
			return nil, errFrame
		}
		if _, err := io.CopyN(&lines, in, int64(length)); err != nil {
			return nil, fmt.Errorf("read a row of the snapshot: %w", err)
		}
	}
}
