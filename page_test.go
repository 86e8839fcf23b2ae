package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/api/web/webtest"
	"github.com/drydock/drydock/emulator"
	"github.com/drydock/drydock/operate/demo"
)

// TestPage drives the page in a real browser, against the whole real stack.
func TestPage(t *testing.T) {
	t.Parallel()
	browser := webtest.StartBrowser(t)
	for name, test := range map[string]func(*testing.T, context.Context){
		"forty photographs": testFortyPhotographs,
		"dropped folder":    testDroppedFolder,
		"no pictures":       testNoPictures,
		"another client":    testAnotherClient,
		"keyboard only":     testKeyboardOnly,
		"phone":             testPhone,
		"servers restart":   testServersRestart,
		"documentation":     testDocumentation,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, browser)
		})
	}
}

func testFortyPhotographs(t *testing.T, browser context.Context) {
	b := openPage(t, browser, startStack(t, emulator.Options{}))
	b.Wait(`!document.querySelector("#empty").hidden`) // it says what there is to do
	b.Do(chromedp.Evaluate[chromedp.Void](recordProgress))
	b.choose(photographFiles(t, 40)...)
	b.Wait(`cards("processed").length === 40`)

	steps, statuses := webtest.Value[[]float64](b.Tab, `seen.overall`), webtest.Value[map[string]int](b.Tab, `seen.statuses`)
	t.Logf("%d steps of progress; cards seen by status: %v", len(steps), statuses)
	assert.True(t, slices.IsSorted(steps), "progress never goes back: %v", steps)
	assert.Greater(t, len(slices.Compact(steps)), 5, "progress is seen")
	for _, status := range []string{"queued", "uploading"} {
		assert.Positive(t, statuses[status], "cards seen %s", status)
	}
	assert.Equal(t, map[string]string{"flight": "0", "done": "40", "rejected": "0", "failed": "0"}, b.counters())
	assert.Regexp(t, `^−\d\d.%$`, b.Text("#saved-percent"))
	b.checkThumbs(40)

	b.Open(b.URL)
	b.Wait(`cards("processed").length === 20`)
	assert.Equal(t, "20+", b.Text("#count-done"), "there are more than the list has shown")
	b.Click("#more")
	b.Wait(`cards("processed").length === 40 && document.querySelector("#more").hidden`)
	assert.Equal(t, "40", b.Text("#count-done"))
}

// recordProgress notes what the page shows on the way, however short that is.
const recordProgress = `
	window.seen = {overall: [], statuses: {}};
	new MutationObserver(() => {
		if (!document.querySelector("#sending").hidden) seen.overall.push(document.querySelector("#overall").value);
		for (const card of document.querySelectorAll(".card")) {
			card.seen ??= new Set();
			const {status} = card.dataset;
			if (!card.seen.has(status)) seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
			card.seen.add(status);
		}
	}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
	undefined`

func testDroppedFolder(t *testing.T, browser context.Context) {
	b := openPage(t, browser, startStack(t, emulator.Options{}))
	files := photographFiles(t, 4)
	inner := filepath.Join(filepath.Dir(files[0]), "inner")
	require.NoError(t, os.Mkdir(inner, 0o755))
	require.NoError(t, os.Rename(files[0], filepath.Join(inner, filepath.Base(files[0]))))
	b.drop(inner, files[1], files[2])
	b.Wait(`cards("processed").length === 3`)
	assert.Equal(t, "3", b.Text("#count-done"))
	b.checkThumbs(3)
}

func testNoPictures(t *testing.T, browser context.Context) {
	b := openPage(t, browser, startStack(t, emulator.Options{}))
	folder := t.TempDir()
	short, err := os.ReadFile(photographFiles(t, 1)[0])
	require.NoError(t, err)
	b.choose(
		writeFile(t, folder, "cut-short.jpg", short[:len(short)/3]),
		writeFile(t, folder, "words.png", []byte("These are words, and no picture at all.")),
		writeFile(t, folder, "notes.txt", []byte("Notes.")),
		writeFile(t, folder, "empty.jpg", nil),
	)
	b.Wait(`cards("rejected").length === 2`)
	assert.Equal(t, "2", b.Text("#count-rejected"))
	for _, state := range webtest.Value[[]string](b.Tab, `cards("rejected").map((card) => card.querySelector(".state").textContent)`) {
		assert.Regexp(t, `^Rejected\. [A-Z][a-z]+ .{10,}\.$`, state)
	}
	notice := b.Text("#notice p")
	assert.Contains(t, notice, "notes.txt")
	assert.Contains(t, notice, "empty.jpg")
	assert.Len(t, webtest.Value[[]string](b.Tab, `cards().map((card) => card.dataset.upload)`), 2)
}

func testAnotherClient(t *testing.T, browser context.Context) {
	stack := startStack(t, emulator.Options{})
	b := openPage(t, browser, stack)
	report, err := demo.Run(deadline(t), demo.Options{API: stack.URL("uploads"), Files: demo.Photographs()})
	require.NoError(t, err)
	require.Equal(t, 8, report.Processed)
	b.Wait(`cards("processed").length === 8`)
	var ids []string
	for _, file := range report.Files {
		ids = append(ids, file.ID)
	}
	assert.ElementsMatch(t, ids, webtest.Value[[]string](b.Tab, `cards().map((card) => card.dataset.upload)`))
	b.checkThumbs(8)

	require.Equal(t, http.StatusNoContent, b.status(http.MethodDelete, "/v1/uploads/"+ids[0]))
	b.Wait(`cards().length === 7`)
}

func testKeyboardOnly(t *testing.T, browser context.Context) {
	b := openPage(t, browser, startStack(t, emulator.Options{}))
	b.TabTo("#files")
	b.chooseByKey(photographFiles(t, 3))
	b.Wait(`cards("processed").length === 3`)
	names := webtest.Value[[]string](b.Tab, `cards().map((card) => card.querySelector(".name").textContent)`)

	b.TabTo(".card .frame")
	b.Press(kb.Enter)
	b.waitViewer(names[0], "1 of 3")
	b.Press(kb.ArrowRight)
	b.waitViewer(names[1], "2 of 3")
	b.Press(kb.ArrowRight, kb.ArrowRight)
	b.waitViewer(names[2], "3 of 3")
	b.Press(kb.ArrowLeft)
	b.waitViewer(names[1], "2 of 3")
	b.Press(kb.Escape)
	b.Wait(`!document.querySelector("#viewer").open && document.activeElement === cards()[1].querySelector(".frame")`)

	id := webtest.Value[string](b.Tab, `cards()[1].dataset.upload`)
	b.TabTo(".card:nth-child(2) [data-do=delete]")
	b.Press(kb.Enter)
	b.Wait(`document.activeElement.value === "keep"`)
	assert.Equal(t, names[1], b.Text("#confirm-name"))
	b.Press(kb.Enter)
	b.Wait(`!document.querySelector("#confirm").open`)
	b.Press(kb.Enter)
	b.TabTo("#confirm [value=delete]")
	b.Press(kb.Enter)
	b.Wait(`cards().length === 2 && document.activeElement.closest(".card") !== null`)
	assert.Equal(t, http.StatusNotFound, b.status(http.MethodGet, "/v1/uploads/"+id))
}

func testPhone(t *testing.T, browser context.Context) {
	b := openTab(t, browser)
	b.Do(chromedp.EmulateViewport(360, 740, chromedp.EmulateScale(2), chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.openPage(startStack(t, emulator.Options{}))
	b.checkWidth(360)
	files := photographFiles(t, 2)
	long := filepath.Join(filepath.Dir(files[0]), strings.Repeat("a-long-name-", 15)+".jpg")
	require.NoError(t, os.Rename(files[0], long))
	b.choose(long, files[1], writeFile(t, t.TempDir(), "words.png", []byte("no picture")))
	b.Wait(`cards("processed").length === 2 && cards("rejected").length === 1`)
	b.checkWidth(360)
	b.checkShown(".drop .button", "nav a", ".card .frame", ".card .delete", ".variants a")
	b.Click(".card[data-status=processed] .frame")
	b.Wait(`document.querySelector("#viewer-picture").naturalWidth > 0`)
	b.checkWidth(360)
	b.checkShown("#viewer header button", "#viewer [data-do=back]", "#viewer [data-do=on]", "#viewer footer a")
	b.Click("#viewer [data-do=close]")
	b.Click(".card .delete")
	b.checkShown("#confirm [value=keep]", "#confirm [value=delete]")
}

func testServersRestart(t *testing.T, browser context.Context) {
	stack := startStack(t, emulator.Options{})
	b := openPage(t, browser, stack)
	b.AllowFailures()
	b.Do(chromedp.Evaluate[chromedp.Void](`window.same = true`)) // gone if the page is loaded anew
	folder := os.DirFS(filepath.Dir(photographFiles(t, 1)[0]))
	for i, restart := range []func(){
		func() { require.NoError(t, stack.RestartNATS(nil)) },
		func() { require.NoError(t, stack.RestartS3(nil)) },
		func() {
			sendSignal(t, stack, "uploads", syscall.SIGKILL)
			b.Wait(`!connected()`)
		},
	} {
		restart()
		b.Wait(`connected()`)
		poll(t, waitFor, func() bool { return b.status(http.MethodGet, "/health/ready") == http.StatusOK })
		report, err := demo.Run(deadline(t), demo.Options{API: strings.TrimSuffix(b.URL, "/"), Files: folder})
		require.NoError(t, err)
		require.Equal(t, 1, report.Processed, report.Files)
		b.Wait(fmt.Sprintf(`same && cards("processed").length === %d && connected()`, i+1))
	}
}

func testDocumentation(t *testing.T, browser context.Context) {
	stack := startStack(t, emulator.Options{})
	b := openTab(t, browser)
	b.Open(stack.URL("uploads") + "/docs")
	var described struct {
		OpenAPI string
		Paths   map[string]map[string]struct{ Summary string }
	}
	fetchJSON(t, stack.URL("uploads")+"/openapi.json", &described)
	assert.Regexp(t, `^3\.1\.`, described.OpenAPI)
	var summaries []string
	for _, operations := range described.Paths {
		for _, operation := range operations {
			summaries = append(summaries, operation.Summary)
		}
	}
	require.GreaterOrEqual(t, len(summaries), 6)
	b.Wait(fmt.Sprintf(`document.querySelectorAll(".opblock").length === %d`, len(summaries)))
	shown := webtest.Value[[]string](b.Tab, `[...document.querySelectorAll(".opblock-summary-description")].map((e) => e.textContent)`)
	assert.ElementsMatch(t, summaries, shown)
	b.Click(".opblock-summary-control")
	b.Wait(`document.querySelector(".opblock-body .responses-table") !== null`)
}

// tab is a tab with the uploads page.
type tab struct {
	*webtest.Tab
	t *testing.T
}

const waitFor = 2 * time.Minute // on a busy machine

// deadline bounds what a test waits for.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	t.Cleanup(cancel)
	return ctx
}

// helpers are known to every expression that tests evaluate.
const helpers = `
	window.cards = (status) => $$(".card").filter((card) => !status || card.dataset.status === status);
	window.connected = () => $("#connection").dataset.state === "connected";`

func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	return &tab{webtest.OpenTab(t, browser, helpers), t}
}

// openPage opens the page of a stack in a tab of its own.
func openPage(t *testing.T, browser context.Context, stack *emulator.Stack) *tab {
	t.Helper()
	b := openTab(t, browser)
	b.openPage(stack)
	return b
}

func (b *tab) openPage(stack *emulator.Stack) {
	b.t.Helper()
	b.Open(stack.URL("uploads") + "/")
	b.Wait(`connected()`)
}

func (b *tab) choose(files ...string) {
	b.t.Helper()
	b.Do(chromedp.SetUploadFiles(chromedp.CSS("#files"), files))
}

// drop drops files and folders on the page, as from a file manager.
func (b *tab) drop(files ...string) {
	b.t.Helper()
	data := &input.DragData{Items: []*input.DragDataItem{}, Files: files, DragOperationsMask: 1}
	for _, kind := range []input.DispatchDragEventType{"dragEnter", "dragOver", "drop"} {
		b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: 300, Y: 400, Data: data})
			return err
		}))
	}
}

// chooseByKey opens the file dialog of the focused input with Enter, and chooses there.
func (b *tab) chooseByKey(files []string) {
	b.t.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		on := page.SetInterceptFileChooserDialogParams{Enabled: true}
		if _, err := cdp.Call(ctx, target, page.SetInterceptFileChooserDialog, on); err != nil {
			return err
		}
		opened, err := chromedp.WaitEvent(page.FileChooserOpened, nil, chromedp.KeyEvent(kb.Enter))(ctx, target)
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, target, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: files, BackendNodeID: opened.BackendNodeID})
		return err
	}))
}

// waitViewer waits until the viewer shows a picture.
func (b *tab) waitViewer(name, position string) {
	b.t.Helper()
	b.Wait(fmt.Sprintf(`document.querySelector("#viewer").open
		&& document.querySelector("#viewer-name").textContent === %q
		&& document.querySelector("#viewer-position").textContent === %q
		&& document.querySelector("#viewer-picture").complete
		&& document.querySelector("#viewer-picture").naturalWidth > 160`, name, position))
}

func (b *tab) counters() map[string]string {
	b.t.Helper()
	return webtest.Value[map[string]string](b.Tab, `Object.fromEntries(["flight", "done", "rejected", "failed"].map((name) =>
		[name, document.querySelector("#count-" + name).textContent]))`)
}

// checkThumbs scrolls through the cards, as pictures come when they are looked at.
func (b *tab) checkThumbs(count int) {
	b.t.Helper()
	for i := range count {
		card := fmt.Sprintf(`cards()[%d]`, i)
		b.Do(chromedp.Evaluate[chromedp.Void](card + `.scrollIntoView({block: "center"})`))
		b.Wait(card + `.querySelector(".thumb").naturalWidth === 160`)
	}
}

// checkWidth checks that nothing is to be scrolled sideways.
func (b *tab) checkWidth(width int) {
	b.t.Helper()
	assert.Equal(b.t, width, webtest.Value[int](b.Tab, `innerWidth`))
	assert.LessOrEqual(b.t, webtest.Value[int](b.Tab, `document.documentElement.scrollWidth`), width)
}

// checkShown checks that all that fits each selector is to be seen, within the width of the window.
func (b *tab) checkShown(selectors ...string) {
	b.t.Helper()
	for _, selector := range selectors {
		assert.Empty(b.t, webtest.Value[string](b.Tab, fmt.Sprintf(`(() => {
			const all = [...document.querySelectorAll(%q)];
			if (all.length === 0) return "there is none";
			for (const element of all) {
				element.scrollIntoView({block: "nearest"});
				const {left, right, width, height} = element.getBoundingClientRect();
				if (!element.checkVisibility() || left < 0 || right > innerWidth || width < 20 || height < 20) {
					return JSON.stringify([left, right, width, height]);
				}
			}
			return "";
		})()`, selector)), selector)
	}
}

// status asks the API past the page; 0 is the status of no answer.
func (b *tab) status(method, path string) int {
	b.t.Helper()
	request, err := http.NewRequestWithContext(deadline(b.t), method, strings.TrimSuffix(b.URL, "/")+path, nil)
	require.NoError(b.t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// photographFiles writes so many files with real photographs, and returns their paths.
func photographFiles(t *testing.T, count int) (paths []string) {
	t.Helper()
	names, err := fs.Glob(demo.Photographs(), "*.jpg")
	require.NoError(t, err)
	folder := t.TempDir()
	for i := range count {
		name := names[i%len(names)]
		data, err := fs.ReadFile(demo.Photographs(), name)
		require.NoError(t, err)
		paths = append(paths, writeFile(t, folder, fmt.Sprintf("%02d %s", i+1, name), data))
	}
	return paths
}

func writeFile(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}
