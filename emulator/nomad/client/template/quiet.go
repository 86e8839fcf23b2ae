package template

import (
	"bytes"
	"io"
	"log"
	"sync"
)

// quiet keeps what consul-template logs of its every step out of the log of the
// process: it writes to the standard logger, and has no other way.
var quiet = sync.OnceFunc(func() { log.SetOutput(withoutSteps{log.Writer()}) })

// withoutSteps drops the lines of consul-template that are no warnings.
type withoutSteps struct{ to io.Writer }

func (w withoutSteps) Write(line []byte) (int, error) {
	for _, level := range []string{"[TRACE] ", "[DEBUG] ", "[INFO] "} {
		if bytes.Contains(line, []byte(level)) {
			return len(line), nil
		}
	}
	return w.to.Write(line)
}
