package webtest

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patience is how long a test waits for what a page has to do, on a busy machine.
const Patience = 2 * time.Minute

const closeWithin = 10 * time.Second

// programs are the names that a Chromium has on the systems that have one.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}

// StartBrowser starts a browser that ends with the test, for OpenTab. Without
// one the test fails.
func StartBrowser(t *testing.T) context.Context {
	t.Helper()
	program := ""
	for _, name := range programs {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Fatal("the page's tests need a browser: install Chromium (make test does; apt-get install chromium; brew install --cask google-chrome)")
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program), chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.WindowSize(1280, 900),
	}
	// The last three keep the tabs that are not in front as quick as the one that is.
	for _, flag := range []string{
		"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage",
		"disable-background-timer-throttling", "disable-backgrounding-occluded-windows", "disable-renderer-backgrounding",
	} {
		options = append(options, chromedp.Flag(flag, true))
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...) // in a temporary folder, without a sandbox when root
	t.Cleanup(stop)
	browser, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() { // asked to, it leaves nothing; stop would kill it
		closing, cancel := context.WithTimeout(browser, closeWithin)
		defer cancel()
		assert.NoError(t, chromedp.Cancel(closing))
	})
	require.NoError(t, chromedp.Do(browser), "start %s", program)
	return browser
}
