package mail_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/web/webtest"
	"github.com/drydock/drydock/emulator/mail"
)

// evil is a mail that would do harm where it can.
const evil = "Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nThe plain text.\r\n" +
	"--a\r\nContent-Type: text/html\r\n\r\n<p id=rich>The rich text.</p><script>parent.document.title = 'taken'; top.location = 'about:blank'</script>" +
	"<img src='http://198.51.100.1/pixel' onerror=\"parent.document.title = 'taken'\">\r\n--a--\r\n"

const patience = 90 * time.Second

// tab is a browser's tab with what it complained about.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

func TestPage(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	p := openTab(t)
	p.do(chromedp.Navigate(m.URL()))
	p.wait(`document.querySelector("#connection").dataset.state === "live"`)
	p.wait(`!document.querySelector("#empty").hidden`)

	require.NoError(t, send(t, m, "ann@example.com", "first", plain))
	require.NoError(t, send(t, m, "eve@example.com", "<i>second</i>", evil))
	p.wait(`document.querySelectorAll("#messages li").length === 2 && document.querySelector("#count").textContent === "2"`)
	p.wait(`document.querySelector("#messages strong").textContent === "<i>second</i>"`)

	// By keyboard alone: the newest mail, and its forms.
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#messages button").focus(); undefined`), chromedp.KeyEvent(kb.Enter))
	p.wait(`document.querySelector("#subject").textContent === "<i>second</i>"`)
	p.wait(`document.querySelector("#pane-html iframe")?.getAttribute("sandbox") === "allow-popups allow-popups-to-escape-sandbox"`)
	p.wait(`document.activeElement.closest("#messages") !== null`) // the focus stays
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#tab-html").focus(); undefined`), chromedp.KeyEvent(kb.ArrowRight))
	p.wait(`document.querySelector("#pane-text").textContent.includes("The plain text.") && !document.querySelector("#pane-text").hidden`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(`!document.querySelector("#pane-headers").hidden && document.querySelector("#pane-headers").textContent.includes("Message-Id")`)
	p.do(chromedp.KeyEvent(kb.ArrowRight))
	p.wait(`document.querySelector("#pane-raw").textContent.includes("boundary=a")`)
	p.wait(`document.title === "Inbox · Drydock" && location.pathname === "/"`) // the mail's script did not run

	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#find").value = "ann@"; document.querySelector("#find").dispatchEvent(new Event("input")); undefined`))
	p.wait(`document.querySelectorAll("#messages li").length === 1`)
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#find").value = ""; document.querySelector("#find").dispatchEvent(new Event("input")); undefined`))
	p.wait(`document.querySelectorAll("#messages li").length === 2`)
	p.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#remove").click(); undefined`))
	p.wait(`document.querySelectorAll("#messages li").length === 1 && document.querySelector("#message").hidden`)

	p.do(chromedp.EmulateViewport(360, 740))
	p.wait(`document.documentElement.scrollWidth <= 360`)
	p.mu.Lock()
	defer p.mu.Unlock()
	assert.Empty(t, p.problems)
}

func TestPageFramesTheMailAsItIs(t *testing.T) {
	t.Parallel()
	m := start(t, mail.Options{})
	require.NoError(t, send(t, m, "eve@example.com", "s", evil))
	messages, err := m.Messages()
	require.NoError(t, err)
	p := openTab(t)
	p.do(chromedp.Navigate(m.URL() + "/v1/messages/" + messages[0].ID + "/html"))
	p.wait(`document.querySelector("#rich").textContent === "The rich text."`)
	p.wait(`origin === "null"`) // even outside of the frame it is nobody's
}

func openTab(t *testing.T) *tab {
	t.Helper()
	p := &tab{t: t}
	ctx, cancel := chromedp.NewContext(webtest.StartBrowser(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(p.listen))
	t.Cleanup(cancel)
	p.ctx = ctx
	require.NoError(t, chromedp.Do(ctx))
	return p
}

// listen notes exceptions, complaints of the browser but for what the mail was
// kept from, and requests that the mail should not make.
func (p *tab) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, fmt.Sprint(e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceSecurity {
			p.problems = append(p.problems, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.RemoteIPAddress != "" && e.Response.RemoteIPAddress != "127.0.0.1" {
			p.problems = append(p.problems, "foreign answer: "+e.Response.URL)
		}
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.NoError(p.t, chromedp.Do(ctx, actions...))
}

// wait waits until the condition holds.
func (p *tab) wait(condition string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	require.Eventually(p.t, func() bool {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool](condition))
		return err == nil && holds
	}, patience, 20*time.Millisecond, condition)
}
