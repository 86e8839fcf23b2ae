package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// resolved is a path within the directory that a request has named.
type resolved struct {
	d        *Directory
	root     *os.Root // nothing outside of the directory can be opened through it
	asked    string   // as the request has it
	name     string   // below root, without links
	statuses statuses
}

// resolve finds what a path of a request leads to. The caller closes what it returns.
func (d *Directory) resolve(operation, path string, statuses statuses) (*resolved, error) {
	escapes := newError(statuses.escapes, "Path escapes the alloc directory")
	r := &resolved{d: d, asked: path, statuses: statuses}
	lexical := filepath.Join(".", filepath.FromSlash(strings.TrimLeft(path, "/")))
	if !filepath.IsLocal(lexical) {
		return nil, escapes
	}
	base, err := filepath.EvalSymlinks(d.path)
	if err != nil {
		return nil, r.fail(operation, err)
	}
	followed, err := filepath.EvalSymlinks(filepath.Join(base, lexical))
	if err != nil {
		r.name = lexical
		return nil, r.fail(operation, err)
	}
	if r.name, err = filepath.Rel(base, followed); err != nil || !filepath.IsLocal(r.name) {
		return nil, escapes
	}
	if r.root, err = os.OpenRoot(base); err != nil {
		return nil, r.fail(operation, err)
	}
	return r, nil
}

func (r *resolved) close() { _ = r.root.Close() }

// open opens a regular file with content for the asker.
func (r *resolved) open() (*os.File, error) {
	// A named pipe would keep the caller until somebody writes to it.
	file, err := r.root.OpenFile(r.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	about, err := file.Stat()
	if err == nil && !about.Mode().IsRegular() {
		err = newError(r.statuses.content, "file %q is not a regular file", r.asked)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// content opens the file for an asker of its content.
func (d *Directory) content(path string, statuses statuses) (*resolved, *os.File, error) {
	if path == "" {
		return nil, nil, newError(statuses.unnamed, "must provide a file name")
	}
	r, err := d.resolve("stat", path, statuses)
	if err != nil {
		return nil, nil, err
	}
	file, err := r.openContent()
	if err != nil {
		r.close()
		return nil, nil, err
	}
	return r, file, nil
}

func (r *resolved) openContent() (*os.File, error) {
	about, err := r.root.Stat(r.name)
	if err != nil {
		return nil, r.fail("stat", err)
	}
	if about.IsDir() {
		return nil, newError(r.statuses.content, "file %q is a directory", r.asked)
	}
	if kind := r.forbidden(); kind != "" {
		return nil, newError(r.statuses.secret, "Reading %s file prohibited: %s", kind, r.asked)
	}
	file, err := r.open()
	if err != nil {
		return nil, r.fail("open", err)
	}
	return file, nil
}

// forbidden says what kind of file it is that nobody may read: "secret" or "private", or nothing.
func (r *resolved) forbidden() string {
	parts := strings.Split(filepath.ToSlash(r.name), "/")
	if len(parts) < 3 {
		return ""
	}
	if known, _ := r.d.tasks(parts[0]); !known {
		return ""
	}
	switch strings.ToLower(parts[1]) { // some file systems do not tell the cases apart
	case "secrets":
		return "secret"
	case "private":
		return "private"
	}
	return ""
}

// fail makes the answer for an error of the file system, with the whole path in it.
func (r *resolved) fail(operation string, err error) error {
	if answer, ok := errors.AsType[*Error](err); ok {
		return answer
	}
	status := r.statuses.other
	if errors.Is(err, fs.ErrNotExist) {
		status = r.statuses.missing
	}
	cause := err
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		cause = path.Err
	}
	return newError(status, "%s %s: %s", operation, r.fullPath(), cause)
}

// fullPath is the path that was asked for, as messages show it.
func (r *resolved) fullPath() string { return filepath.Join(r.d.path, filepath.FromSlash(r.asked)) }
