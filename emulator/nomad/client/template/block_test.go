package template

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
)

func TestWait(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	b := &block{spec: &api.Template{Wait: &api.WaitConfig{Min: new(2 * time.Second), Max: new(5 * time.Second)}}}
	assert.Equal(t, at(2), b.quiet("a", at(0)), "the shortest wait")
	assert.Equal(t, at(2), b.quiet("a", at(1)))
	assert.Equal(t, at(3), b.quiet("b", at(1)), "begun again with each change")
	assert.Equal(t, at(5), b.quiet("c", at(4)), "but for the longest")
	b.done, b.output, b.first = true, "c", time.Time{}
	assert.Equal(t, at(9), b.quiet("c", at(9)), "it is written already")
	assert.Equal(t, at(12), b.quiet("d", at(10)))
	assert.Equal(t, at(11), b.quiet("c", at(11)), "it is as written again")
	assert.Equal(t, at(14), b.quiet("d", at(12)))
	assert.Equal(t, at(0), (&block{spec: &api.Template{}}).quiet("a", at(0)), "without a wait")
}
