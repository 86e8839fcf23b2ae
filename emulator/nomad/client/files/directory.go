// Package files serves the file API of an allocation directory: list, stat, cat, read at an offset, follow a file, follow the
// logs of a task. The node agent (package client) makes a Directory for each allocation, and the HTTP routes below
// /v1/client/fs call it; messages and statuses are those of a real agent.
//
// Nothing outside of the allocation directory can be reached through it, whatever links a task makes, nor can the contents of
// the secrets and private directories of the tasks.
package files

import (
	"io"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// sniffed is how much of a file its content type is told from, in bytes.
const sniffed = 512

// binary is the content type of what is not known for text.
const binary = "application/octet-stream"

// TaskState says whether the allocation has a task of that name, and whether it has started by now. It must be safe for
// concurrent use.
type TaskState func(task string) (known, started bool)

// Directory is an allocation directory. It holds nothing open between calls, and all its methods may be called at once.
type Directory struct {
	path  string
	tasks TaskState
}

// New returns the directory at path, which need not exist yet.
func New(path string, tasks TaskState) *Directory {
	return &Directory{path: filepath.Clean(path), tasks: tasks}
}

// Info describes a file as the API does.
type Info struct {
	Name        string
	IsDir       bool
	Size        int64  // in bytes
	FileMode    string // as fs.FileMode prints it
	ModTime     time.Time
	ContentType string `json:",omitempty"` // set by Stat alone
}

// List describes the files in a directory, by name. Links are described themselves, not what they lead to.
func (d *Directory) List(path string) ([]*Info, error) {
	r, err := d.resolve("open", path, listStatuses)
	if err != nil {
		return nil, err
	}
	defer r.close()
	entries, err := fs.ReadDir(r.root.FS(), filepath.ToSlash(r.name))
	if err != nil {
		return nil, r.fail("open", err)
	}
	list := make([]*Info, 0, len(entries))
	for _, entry := range entries {
		about, err := entry.Info()
		if err != nil {
			continue // gone since it was listed
		}
		list = append(list, describe(entry.Name(), about))
	}
	return list, nil
}

// Stat describes a file or a directory; of a link, what it leads to.
func (d *Directory) Stat(path string) (*Info, error) {
	if path == "" {
		return nil, newError(listStatuses.unnamed, "must provide a file name")
	}
	r, err := d.resolve("stat", path, listStatuses)
	if err != nil {
		return nil, err
	}
	defer r.close()
	about, err := r.root.Stat(r.name)
	if err != nil {
		return nil, r.fail("stat", err)
	}
	name := filepath.Base(filepath.Join(d.path, path))
	info := describe(name, about)
	info.ContentType = binary
	if !about.Mode().IsRegular() || about.Size() == 0 {
		return info, nil
	}
	file, err := r.open()
	if err != nil {
		return nil, r.fail("stat", err)
	}
	defer file.Close()
	start, err := startOf(file)
	if err != nil {
		return nil, r.fail("stat", err)
	}
	info.ContentType = contentType(name, start)
	return info, nil
}

func describe(name string, about fs.FileInfo) *Info {
	return &Info{
		Name: name, IsDir: about.IsDir(), Size: about.Size(), FileMode: about.Mode().String(), ModTime: about.ModTime().UTC(),
	}
}

// startOf reads as much of a file as its content type is told from, and goes back to its beginning.
func startOf(file *os.File) ([]byte, error) {
	buffer := make([]byte, sniffed)
	n, err := file.ReadAt(buffer, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return buffer[:n], nil
}

// contentType tells it from what is in the file; its name only says whether text is JSON.
func contentType(name string, start []byte) string {
	found := http.DetectContentType(start)
	if extension := strings.ToLower(filepath.Ext(name)); extension == ".json" && isText(found) {
		return "application/json"
	}
	return found
}

func isText(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "text/plain"
}

// plainType is the content type under which a browser may be sent the file: never one that it would run.
func plainType(start []byte) string {
	found := http.DetectContentType(start)
	runs := []string{"text/html", "text/xml", "application/xml", "image/svg+xml", "application/pdf"}
	if kind, _, err := mime.ParseMediaType(found); err != nil || slices.Contains(runs, kind) {
		return "text/plain"
	}
	return found
}
