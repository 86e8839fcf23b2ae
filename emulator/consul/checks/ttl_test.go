package checks

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTTLExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		_, results := start(t, Definition{TTL: time.Minute, Status: "passing"}, nil)
		assert.Equal(t, critical("TTL expired"), <-results)
		assert.Equal(t, time.Minute, time.Since(begin))
	})
}

func TestTTLBeginsAnewWithEachUpdate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		r, results := start(t, Definition{TTL: time.Minute}, nil)
		for range 3 {
			time.Sleep(59 * time.Second) // of the fake clock
			require.NoError(t, r.Update("passing", "well"))
		}
		assert.Equal(t, passing("well"), <-results)
		assert.Equal(t, critical("TTL expired (last output before timeout follows): well"), <-results)
		assert.Equal(t, 3*59*time.Second+time.Minute, time.Since(begin))
		require.NoError(t, r.Update("passing", "back"), "an expired check may recover")
		assert.Equal(t, passing("back"), <-results)
	})
}

func TestTTLCapsOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, results := start(t, Definition{TTL: time.Minute, OutputMaxSize: 10}, nil)
		require.NoError(t, r.Update("warning", strings.Repeat("x", 26)))
		assert.Equal(t, warning("xxxxxxxxxx ... (captured 10 of 26 bytes)"), <-results)
	})
}

func TestTTLIsSilentOnceClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, results := start(t, Definition{TTL: time.Minute, Status: "passing"}, nil)
		r.Close()
		require.NoError(t, r.Update("warning", "late"))
		time.Sleep(time.Hour) // of the fake clock
		assert.Empty(t, results)
	})
}
