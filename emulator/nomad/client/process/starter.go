package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
)

// Starter starts programs. It costs nothing until the first one. Its methods may
// be called from any goroutine.
type Starter struct {
	starts chan func()
	gone   chan struct{} // closed when the thread that starts processes is about to end
	caught chan os.Signal

	mu       sync.Mutex
	closed   bool
	watchdog *watchdog // nil before the first start
}

// NewStarter makes a starter. The caller closes it.
func NewStarter() *Starter {
	return &Starter{starts: make(chan func()), gone: make(chan struct{}), caught: make(chan os.Signal, 1)}
}

// Close ends the thread and the watchdog. All processes must have ended before.
func (s *Starter) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.watchdog == nil {
		s.closed = true
		return nil
	}
	s.closed = true
	close(s.starts)
	<-s.gone
	signal.Stop(s.caught)
	return s.watchdog.close()
}

// Watchdog is the process that watches over the others; 0 before the first start.
func (s *Starter) Watchdog() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchdog == nil {
		return 0
	}
	return s.watchdog.cmd.Process.Pid
}

// ready sees to the watchdog and the thread.
func (s *Starter) ready() (*watchdog, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, os.ErrClosed
	}
	if s.watchdog == nil {
		w, err := startWatchdog()
		if err != nil {
			return nil, err
		}
		s.watchdog = w
		heed(s.caught)
		go s.loop()
	}
	return s.watchdog, nil
}

// loop starts all processes from one thread: the kernel ends a child with the
// thread that started it, not with the program, and Go's other threads come and
// go. The lock is never given back, so that the thread ends with the loop.
//
// It is not the main thread. That one never ends, and Command.Confine would put
// the whole program where it puts the thread: the kernel charges the memory of
// all threads to the control group of the main one.
func (s *Starter) loop() {
	runtime.LockOSThread()
	if isMainThread() {
		defer runtime.UnlockOSThread()
		elsewhere := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(elsewhere)
			s.run()
		}()
		<-elsewhere // until then this goroutine holds the main thread
		return
	}
	s.run()
}

// run starts processes until the starter is closed.
func (s *Starter) run() {
	defer close(s.gone)
	for start := range s.starts {
		start()
	}
}

// Start starts a program.
func (s *Starter) Start(c Command) (*Process, error) {
	w, err := s.ready()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	cmd := &exec.Cmd{
		Path: c.Path, Args: append([]string{c.Path}, c.Args...), Dir: c.Dir, Env: c.Env,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: c.Terminal == nil, Credential: c.Credential},
	}
	dieWithOwner(cmd.SysProcAttr)
	streams, err := c.connect(cmd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Path, err)
	}
	started := make(chan error, 1)
	s.starts <- func() { started <- startWatched(cmd, w, c.Confine) }
	if err := <-started; err != nil {
		for _, stream := range streams {
			stream.close()
		}
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go p.wait(w, streams, c.copy(streams))
	return p, nil
}

// startWatched starts a process that the watchdog knows of, or none.
func startWatched(cmd *exec.Cmd, w *watchdog, confine confiner) error {
	if err := confine.start(cmd); err != nil {
		return err
	}
	if err := w.add(cmd.Process.Pid); err != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		w.remove(cmd.Process.Pid)
		return err
	}
	return nil
}

// confiner is Command.Confine.
type confiner func(attr *syscall.SysProcAttr) (restore func() error, err error)

// start starts a process under limits, if there are any.
func (confine confiner) start(cmd *exec.Cmd) error {
	if confine == nil {
		return cmd.Start()
	}
	restore, err := confine(cmd.SysProcAttr)
	if err != nil {
		return err
	}
	return errors.Join(cmd.Start(), restore())
}

// connect gives the process its streams: output, error output, and input if
// there is any.
func (c *Command) connect(cmd *exec.Cmd) (streams []stream, err error) {
	if c.Terminal != nil {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Terminal, c.Terminal, c.Terminal
		cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty = true, true // a session is a group as well
		return nil, nil
	}
	opens := []func() (stream, error){openOutput, openOutput}
	if c.Stdin != nil {
		opens = append(opens, openInput)
	}
	for _, open := range opens {
		s, err := open()
		if err != nil {
			for _, opened := range streams {
				opened.close()
			}
			return nil, err
		}
		streams = append(streams, s)
	}
	cmd.Stdout, cmd.Stderr = streams[0].theirs, streams[1].theirs
	if c.Stdin != nil {
		cmd.Stdin = streams[2].theirs
	}
	return streams, nil
}

// copy starts to carry what the process prints, which the result waits for, and
// what it reads, which ends by itself.
func (c *Command) copy(streams []stream) *sync.WaitGroup {
	var copying sync.WaitGroup
	for i, s := range streams {
		s.theirs.Close()
		switch i {
		case 0:
			copying.Go(func() { s.copyTo(c.Stdout) })
		case 1:
			copying.Go(func() { s.copyTo(c.Stderr) })
		default:
			go s.copyFrom(c.Stdin)
		}
	}
	return &copying
}
