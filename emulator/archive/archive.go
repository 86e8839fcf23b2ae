// Package archive has the form of the snapshots that the emulated programs
// save: a compressed tar of the state, what it is of, and the sums of both, as
// the real programs' own clients check it. What the state consists of is the
// programs' own. Packages consul and nomad call it for their endpoints of
// snapshots.
package archive

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// The files of an archive, which is a compressed tar.
const (
	metaFile  = "meta.json"
	stateFile = "state.bin"
	sumsFile  = "SHA256SUMS"

	version = 1
)

// Term is the Raft term of the one leader that an emulated program has ever had.
const Term = 2

// Meta says what an archive is of.
type Meta struct {
	Index   uint64 // of the last change in the state
	Server  string // the ID of the server that it is of
	Address string // of that server's RPC
}

// described is Meta in the words of Raft.
type described struct {
	Version            int
	ID                 string
	Index              uint64
	Term               uint64
	Configuration      configuration
	ConfigurationIndex uint64
	Size               int64 // of the state, in bytes
}

type configuration struct{ Servers []server }

type server struct {
	Suffrage int // 0 is a voter
	ID       string
	Address  string
}

// Write writes an archive of a state.
func Write(to io.Writer, of Meta, state []byte) error {
	now := time.Now()
	meta, err := json.Marshal(described{
		Version: version, ID: fmt.Sprintf("%d-%d-%d", Term, of.Index, now.UnixMilli()), Index: of.Index, Term: Term,
		Configuration: configuration{[]server{{ID: of.Server, Address: of.Address}}}, ConfigurationIndex: 1, Size: int64(len(state)),
	})
	if err == nil {
		err = write(to, meta, state, now)
	}
	if err != nil {
		return fmt.Errorf("write the snapshot's archive: %w", err)
	}
	return nil
}

func write(to io.Writer, meta, state []byte, now time.Time) error {
	compressed := gzip.NewWriter(to)
	archive := tar.NewWriter(compressed)
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{metaFile, meta},
		{stateFile, state},
		{sumsFile, []byte(sumLine(metaFile, meta) + sumLine(stateFile, state))},
	} {
		header := &tar.Header{Name: file.name, Mode: 0o600, Size: int64(len(file.content)), ModTime: now}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(file.content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

func sumLine(name string, content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) + "  " + name + "\n"
}

// Read returns the state that an archive has, if it is whole. The error is
// worded as the real programs word it.
func Read(from io.Reader) ([]byte, error) {
	compressed, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("failed to decompress snapshot: %w", err)
	}
	files, err := readFiles(compressed)
	if err == nil {
		err = checkSums(files)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to read snapshot file: %w", err)
	}
	return files[stateFile], nil
}

func readFiles(from io.Reader) (map[string][]byte, error) {
	files := map[string][]byte{metaFile: nil, stateFile: nil, sumsFile: nil}
	archive := tar.NewReader(from)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("failed reading snapshot: %w", err)
		}
		if _, ok := files[header.Name]; !ok {
			return nil, fmt.Errorf("unexpected file %q in snapshot", header.Name)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			return nil, fmt.Errorf("failed to read or write snapshot data: %w", err)
		}
	}
}

// checkSums holds the files against their sums: all have to be there, and to be right.
func checkSums(files map[string][]byte) error {
	sums := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(files[sumsFile])); lines.Scan(); {
		if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
			sums[name] = sum
		}
	}
	for _, name := range []string{metaFile, stateFile} {
		if sums[name]+"  "+name+"\n" != sumLine(name, files[name]) {
			return fmt.Errorf("failed checking integrity of snapshot: hash check failed for %q", name)
		}
	}
	return nil
}
