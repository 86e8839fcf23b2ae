package consul

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

	archiveVersion = 1

	// raftTerm is the term of the one leader there has ever been.
	raftTerm = 2
)

// archiveMeta says what an archive is of, in the words of Raft.
type archiveMeta struct {
	Version            int
	ID                 string
	Index              uint64
	Term               uint64
	Configuration      archiveServers
	ConfigurationIndex uint64
	Size               int64 // of the state, in bytes
}

type archiveServers struct{ Servers []archiveServer }

type archiveServer struct {
	Suffrage int // 0 is a voter
	ID       string
	Address  string
}

// writeArchive writes an archive in the form that `consul snapshot save` checks.
func writeArchive(to io.Writer, meta archiveMeta, content []byte) error {
	described, err := json.Marshal(meta)
	if err != nil {
		return err
	}
	compressed := gzip.NewWriter(to)
	archive := tar.NewWriter(compressed)
	now := time.Now()
	for _, file := range []struct {
		name    string
		content []byte
	}{
		{metaFile, described},
		{stateFile, content},
		{sumsFile, []byte(sumLine(metaFile, described) + sumLine(stateFile, content))},
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

// readArchive returns the state that an archive has, if it is whole.
func readArchive(from io.Reader) ([]byte, error) {
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
