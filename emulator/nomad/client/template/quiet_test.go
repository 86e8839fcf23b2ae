package template

import (
	"bytes"
	"log"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStepsAreNotLogged(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	logger := log.New(withoutSteps{&written}, "", log.LstdFlags)
	logger.Print("[TRACE] nomad.var.block(a): GET /v1/var/a")
	logger.Print("[DEBUG] (clients) enabling")
	logger.Print("[INFO] (runner) creating")
	assert.Empty(t, written.String())
	logger.Print("[WARN] (view) it fails")
	logger.Print("what others log")
	assert.Regexp(t, `^\S+ \S+ \[WARN\] \(view\) it fails\n\S+ \S+ what others log\n$`, written.String())
}
