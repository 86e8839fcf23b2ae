package nomad

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/client/driver"
)

// Codes with which a conversation over a websocket is ended by an error; the
// reason is its text. They are those of HTTP, after 4000.
const websocketFailure = 4000

// execAllocation runs a command within a task, over a websocket.
func (r *request) execAllocation() (any, error) {
	var command []string
	if err := json.Unmarshal([]byte(r.query.Get("command")), &command); err != nil {
		return nil, badRequest("Failed to decode command: %v", err)
	}
	if r.query.Get("task") == "" {
		return nil, badRequest("task name is required")
	}
	return r.overWebsocket(func(c *conversation) (int, error) { return r.converse(c, command) }), nil
}

// overWebsocket has the answer be a conversation about a command, which ends
// with the command's exit code, or why it was not run.
func (r *request) overWebsocket(converse func(*conversation) (exitCode int, err error)) streamed {
	return func(w http.ResponseWriter) {
		upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }} // a token guards it
		socket, err := upgrader.Upgrade(w, r.Request, nil)
		if err != nil {
			return // it has answered
		}
		defer socket.Close()
		c := &conversation{socket: socket}
		c.end(converse(c))
	}
}

// converse runs the command, and returns when it has ended.
func (r *request) converse(c *conversation, command []string) (exitCode int, err error) {
	if r.flag("ws_handshake") {
		if err := r.handshake(c); err != nil {
			return 0, err
		}
	}
	node, a, err := r.allocationAsked(acl.AllocExec)
	if err != nil {
		return 0, err
	}
	if isNodeExec(a.Job, a.TaskGroup, r.query.Get("task")) {
		if err := r.needIn(a.Namespace, acl.AllocNodeExec); err != nil {
			return 0, err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stdin, typed := io.Pipe()
	resized := make(chan driver.WindowSize, 1)
	go func() {
		defer cancel()
		c.read(typed, resized)
	}()
	defer typed.Close()
	exitCode, err = node.Exec(ctx, a.ID, r.query.Get("task"), driver.Command{
		Args: command, Stdin: stdin, TTY: r.flag("tty"), Resize: resized,
		Stdout: printed(func(io *api.ExecStreamingIOOperation) api.ExecStreamingOutput {
			return api.ExecStreamingOutput{Stdout: io}
		}, c),
		Stderr: printed(func(io *api.ExecStreamingIOOperation) api.ExecStreamingOutput {
			return api.ExecStreamingOutput{Stderr: io}
		}, c),
	})
	return exitCode, said(err)
}

// isNodeExec tells whether a task runs as a plain process of the node.
func isNodeExec(job *api.Job, group, name string) bool {
	g := job.LookupTaskGroup(group)
	if g == nil {
		return false
	}
	for _, task := range g.Tasks {
		if task.Name == name {
			return task.Driver == "raw_exec"
		}
	}
	return false
}

// handshake takes the token that a browser cannot send in a header.
func (r *request) handshake(c *conversation) error {
	var hello struct {
		Version   int    `json:"version"`
		AuthToken string `json:"auth_token"`
	}
	if err := c.socket.ReadJSON(&hello); err != nil {
		return badRequest("failed to read the handshake: %v", err)
	}
	if hello.Version != 1 {
		return badRequest("unexpected handshake value: %d", hello.Version)
	}
	r.token, r.caller = hello.AuthToken, nil
	return nil
}

// conversation is what goes over the websocket of a command.
type conversation struct {
	socket *websocket.Conn
	mu     sync.Mutex // held by the one that writes
}

// read passes on what is typed until the client has gone.
func (c *conversation) read(typed *io.PipeWriter, resized chan<- driver.WindowSize) {
	for {
		var input api.ExecStreamingInput
		if err := c.socket.ReadJSON(&input); err != nil {
			typed.Close()
			return
		}
		if size := input.TTYSize; size != nil {
			select {
			case resized <- driver.WindowSize{Height: size.Height, Width: size.Width}:
			default:
			}
		}
		if input.Stdin == nil {
			continue
		}
		if len(input.Stdin.Data) > 0 {
			if _, err := typed.Write(input.Stdin.Data); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				return
			}
		}
		if input.Stdin.Close {
			typed.Close()
		}
	}
}

func (c *conversation) write(output api.ExecStreamingOutput) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.socket.WriteJSON(output)
}

// end says how the command ended, or why it did not run.
func (c *conversation) end(exitCode int, err error) {
	const wait = time.Second
	if err != nil {
		reason := err.Error()
		const longest = 120 // what a close frame takes, and room
		c.close(websocketFailure+statusOf(err), reason[:min(len(reason), longest)], wait)
		return
	}
	for _, closed := range []api.ExecStreamingOutput{
		{Stdout: &api.ExecStreamingIOOperation{Close: true}},
		{Stderr: &api.ExecStreamingIOOperation{Close: true}},
		{Exited: true, Result: &api.ExecStreamingExitResult{ExitCode: exitCode}},
	} {
		if c.write(closed) != nil {
			return
		}
	}
	c.close(websocket.CloseNormalClosure, "", wait)
}

func (c *conversation) close(code int, reason string, wait time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(wait))
}

// output is a stream of the command, which is sent as it is printed.
type output struct {
	wrap func(*api.ExecStreamingIOOperation) api.ExecStreamingOutput
	to   *conversation
}

func printed(wrap func(*api.ExecStreamingIOOperation) api.ExecStreamingOutput, to *conversation) *output {
	return &output{wrap, to}
}

func (o *output) Write(data []byte) (int, error) {
	if err := o.to.write(o.wrap(&api.ExecStreamingIOOperation{Data: data})); err != nil {
		return 0, err
	}
	return len(data), nil
}
