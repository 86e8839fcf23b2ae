package nomad

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/client/files"
)

// directory is that of the allocation which the path names.
func (r *request) directory(capabilities ...acl.Capability) (*files.Directory, error) {
	if r.PathValue("id") == "" {
		return nil, badRequest("must provide a valid alloc id")
	}
	c, a, err := r.allocationAsked(capabilities...)
	if err != nil {
		return nil, err
	}
	dir, err := c.AllocationDir(a.ID)
	if err != nil {
		return nil, said(err)
	}
	return files.New(dir.Root, func(task string) (known, started bool) {
		started, err := c.TaskStarted(a.ID, task)
		return err == nil, started
	}), nil
}

// refused gives a refusal of the files its status.
func refused(err error) error {
	var known *files.Error
	if errors.As(err, &known) {
		return fail(known.Status, "%s", known.Message)
	}
	return err
}

func (r *request) listFiles() (any, error) {
	d, err := r.directory(acl.ReadFS)
	if err != nil {
		return nil, err
	}
	list, err := d.List(r.query.Get("path"))
	return list, refused(err)
}

func (r *request) statFile() (any, error) {
	d, err := r.directory(acl.ReadFS)
	if err != nil {
		return nil, err
	}
	info, err := d.Stat(r.query.Get("path"))
	return info, refused(err)
}

func (r *request) catFile() (any, error) {
	d, err := r.directory(acl.ReadFS)
	if err != nil {
		return nil, err
	}
	return contentOf(d.Cat(r.query.Get("path")))
}

func (r *request) readFile() (any, error) {
	d, err := r.directory(acl.ReadFS)
	if err != nil {
		return nil, err
	}
	path, offset, limit, err := files.ParseReadAt(r.query)
	if err != nil {
		return nil, refused(err)
	}
	return contentOf(d.ReadAt(path, offset, limit))
}

// contentOf sends what is in a file.
func contentOf(content *files.Content, err error) (any, error) {
	if err != nil {
		return nil, refused(err)
	}
	return streamed(func(w http.ResponseWriter) {
		defer content.Close()
		w.Header().Set("Content-Type", content.ContentType)
		io.Copy(w, content) // the client has gone when it fails
	}), nil
}

func (r *request) streamFile() (any, error) {
	d, err := r.directory(acl.ReadFS)
	if err != nil {
		return nil, err
	}
	asked, err := files.ParseStream(r.query)
	if err != nil {
		return nil, refused(err)
	}
	return streamed(func(w http.ResponseWriter) {
		out := &frames{to: w}
		out.end(d.Stream(r.Context(), asked, out.send))
	}), nil
}

func (r *request) streamLogs() (any, error) {
	d, err := r.directory(acl.ReadLogs, acl.ReadFS)
	if err != nil {
		return nil, err
	}
	asked, err := files.ParseLogs(r.query)
	if err != nil {
		return nil, refused(err)
	}
	return streamed(func(w http.ResponseWriter) {
		out := &frames{to: w, plain: asked.Plain}
		out.end(d.Logs(r.Context(), asked, out.send))
	}), nil
}

// frames is an answer of one frame after the other, in JSON or, plain, their
// data alone. Before the first of them an error still has a status.
type frames struct {
	to    http.ResponseWriter
	plain bool
	begun bool
}

func (f *frames) send(frame *api.StreamFrame) error {
	f.begin()
	line := frame.Data
	if !f.plain {
		if frame.IsHeartbeat() {
			line = []byte("{}")
		} else {
			var err error
			if line, err = json.Marshal(frame); err != nil {
				return err
			}
		}
	}
	if _, err := f.to.Write(line); err != nil {
		return err
	}
	return http.NewResponseController(f.to).Flush()
}

func (f *frames) begin() {
	if f.begun {
		return
	}
	f.begun = true
	kind := "application/json"
	if f.plain {
		kind = "text/plain"
	}
	f.to.Header().Set("Content-Type", kind)
}

// end answers with the error when nothing was sent yet.
func (f *frames) end(err error) {
	var known *files.Error
	if !errors.As(err, &known) {
		f.begin()
		return
	}
	if !f.begun {
		writeError(f.to, refused(err))
		return
	}
	f.to.Write(bytes.TrimSpace([]byte(known.Message)))
}
