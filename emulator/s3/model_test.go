package s3

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// direct is a Server that requests are given to without a network.
type direct struct{ *Server }

// ask answers a request. It is signed unless header has a signature already.
func (s direct) ask(method, path, query string, body []byte, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", bytes.NewReader(body))
	r.URL = &url.URL{Path: path, RawQuery: query}
	r.Header = header
	if header.Get("Authorization") == "" {
		now := s.now().UTC()
		date := now.Format(amzDateFormat)
		header.Set("X-Amz-Date", date)
		header.Set("X-Amz-Content-Sha256", unsignedPayload)
		signed := []string{"host"}
		for name := range header {
			signed = append(signed, strings.ToLower(name))
		}
		slices.Sort(signed)
		cred := credential{testKey, now.Format(scopeDateFormat), s.opts.Region, "s3"}
		sig := requestSignature(r, r.URL.Query(), signed, unsignedPayload, date, cred.scope(), cred.signingKey(testSecret))
		header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", sigAlgorithm, testKey, cred.scope(), strings.Join(signed, ";"), sig))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// revision is a version of a key, as the model has it.
type revision struct {
	id      string // as clients see it
	marker  bool
	content string
	etag    string
	tags    string
}

// model is what a bucket holds: the revisions of each key, from the newest.
// Changes make another model.
type model struct {
	versioning string
	keys       map[string][]revision
}

func (m model) with(key string, rs []revision) model {
	keys := maps.Clone(m.keys)
	if keys[key] = rs; len(rs) == 0 {
		delete(keys, key)
	}
	return model{m.versioning, keys}
}

// find returns the revision that a request means, and the code it gets without.
func (m model) find(key, id string) (revision, string) {
	rs := m.keys[key]
	if id == "" {
		if len(rs) == 0 || rs[0].marker {
			return revision{}, "NoSuchKey"
		}
		return rs[0], ""
	}
	for _, r := range rs {
		if r.id == id {
			if r.marker {
				return r, "MethodNotAllowed"
			}
			return r, ""
		}
	}
	return revision{}, "NoSuchVersion"
}

// without drops one revision.
func without(rs []revision, id string) []revision {
	return slices.DeleteFunc(slices.Clone(rs), func(r revision) bool { return r.id == id })
}

// add puts a revision before all others; there is one null version at most.
func (m model) add(key string, r revision) model {
	rs := m.keys[key]
	if r.id == nullVersion {
		rs = without(rs, nullVersion)
	}
	return m.with(key, append([]revision{r}, rs...))
}

// asked is a request of one client.
type asked struct {
	Kind, Key, ID string
	Source        string // of a copy
	Content, Tags string
	Match         string // the ETag that If-Match has
	Absent        bool   // If-None-Match: *
}

// outcome is what the client was told.
type outcome struct {
	Code, ID, ETag, Body string
	Marker               bool
}

// parts are what the operation uploads one by one, if it does.
func (o asked) parts() []string {
	switch o.Kind {
	case "multipart":
		return []string{o.Content}
	case "large": // enough for the parts to become the object as they are
		return []string{strings.Repeat(o.Content, minPartSize)[:minPartSize], o.Content}
	}
	return nil
}

// result is the revision that the operation writes.
func (o asked) result() revision {
	r := revision{id: nullVersion, content: o.Content, etag: etagOf(o.Content), tags: strings.TrimPrefix(o.Tags, "k=")}
	if parts := o.parts(); parts != nil {
		sums := md5.New()
		for _, p := range parts {
			sum := md5.Sum([]byte(p))
			sums.Write(sum[:])
		}
		r.content, r.etag = strings.Join(parts, ""), fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	}
	return r
}

func etagOf(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// do sends the operation.
func (o asked) do(s direct) outcome {
	path, query, h := "/uploads/"+o.Key, "", http.Header{}
	if o.ID != "" {
		query = "versionId=" + o.ID
	}
	if o.Match != "" {
		h.Set("If-Match", `"`+o.Match+`"`)
	}
	if o.Absent {
		h.Set("If-None-Match", "*")
	}
	if o.Tags != "" {
		h.Set(headerTagging, o.Tags)
	}
	var w *httptest.ResponseRecorder
	switch o.Kind {
	case "put":
		w = s.ask(http.MethodPut, path, "", []byte(o.Content), h)
	case "copy":
		h.Set("X-Amz-Copy-Source", uriEncode("/uploads/"+o.Source, true))
		h.Set("X-Amz-Metadata-Directive", "REPLACE")
		w = s.ask(http.MethodPut, path, "", nil, h)
	case "multipart", "large":
		return o.multipart(s, path, h)
	case "get":
		w = s.ask(http.MethodGet, path, query, nil, h)
	case "delete":
		w = s.ask(http.MethodDelete, path, query, nil, h)
	case "tag":
		body := "<Tagging><TagSet><Tag><Key>k</Key><Value>" + o.Content + "</Value></Tag></TagSet></Tagging>"
		w = s.ask(http.MethodPut, path, strings.TrimSuffix("tagging&"+query, "&"), []byte(body), http.Header{})
	case "tags":
		w = s.ask(http.MethodGet, path, strings.TrimSuffix("tagging&"+query, "&"), nil, http.Header{})
	}
	return outcomeOf(w)
}

// multipart uploads the parts.
func (o asked) multipart(s direct, path string, h http.Header) outcome {
	begin := http.Header{}
	if o.Tags != "" {
		begin.Set(headerTagging, o.Tags)
		h.Del(headerTagging)
	}
	w := s.ask(http.MethodPost, path, "uploads", nil, begin)
	_, rest, _ := strings.Cut(w.Body.String(), "<UploadId>")
	id, _, _ := strings.Cut(rest, "<")
	var list strings.Builder
	for i, p := range o.parts() {
		s.ask(http.MethodPut, path, fmt.Sprintf("partNumber=%d&uploadId=%s", i+1, id), []byte(p), http.Header{})
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, etagOf(p))
	}
	w = s.ask(http.MethodPost, path, "uploadId="+id, []byte("<CompleteMultipartUpload>"+list.String()+"</CompleteMultipartUpload>"), h)
	got := outcomeOf(w)
	if got.Code != "" {
		s.ask(http.MethodDelete, path, "uploadId="+id, nil, http.Header{})
	} else if _, rest, ok := strings.Cut(got.Body, "<ETag>"); ok {
		etag, _, _ := strings.Cut(rest, "<")
		got.ETag = strings.Trim(strings.ReplaceAll(etag, "&#34;", ""), `"`)
	}
	return got
}

func outcomeOf(w *httptest.ResponseRecorder) outcome {
	h := w.Header()
	got := outcome{
		ID: h.Get(headerVersionID), Marker: h.Get(headerDeleteMarker) == "true",
		ETag: strings.Trim(h.Get("ETag"), `"`), Body: w.Body.String(),
	}
	if w.Code >= 300 {
		var e struct{ Code string }
		_ = xml.Unmarshal(w.Body.Bytes(), &e)
		got.Code = e.Code
	}
	return got
}

// apply returns the model after the operation, and whether the outcome is what
// the model makes of it.
func (m model) apply(o asked, got outcome) (model, bool) {
	switch o.Kind {
	case "get", "tags":
		r, code := m.find(o.Key, o.ID)
		if code != "" || got.Code != "" {
			return m, got.Code == code
		}
		if o.Kind == "tags" {
			return m, tagsOf(got.Body) == r.tags
		}
		return m, got.Body == r.content && got.ETag == r.etag && (got.ID == r.id || got.ID == "" && r.id == nullVersion)
	case "tag":
		r, code := m.find(o.Key, o.ID)
		if code != "" || got.Code != "" {
			return m, got.Code == code
		}
		rs := slices.Clone(m.keys[o.Key])
		rs[slices.IndexFunc(rs, func(x revision) bool { return x.id == r.id })].tags = o.Content
		return m.with(o.Key, rs), true
	case "delete":
		return m.remove(o, got)
	}
	return m.write(o, got)
}

// tagsOf reads the value of the one tag there is.
func tagsOf(body string) string {
	_, rest, _ := strings.Cut(body, "<Value>")
	value, _, _ := strings.Cut(rest, "<")
	return value
}

func (m model) write(o asked, got outcome) (model, bool) {
	r := o.result()
	if o.Kind == "copy" {
		src, code := m.find(o.Source, "")
		if code != "" {
			return m, got.Code == code
		}
		r.content, r.etag, r.tags = src.content, etagOf(src.content), src.tags
	}
	cur, missing := m.find(o.Key, "")
	switch {
	case o.Match != "" && missing != "":
		return m, got.Code == "NoSuchKey"
	case o.Match != "" && cur.etag != o.Match, o.Absent && missing == "":
		return m, got.Code == "PreconditionFailed"
	case got.Code != "":
		return m, false
	case o.Kind != "copy" && got.ETag != r.etag:
		return m, false
	}
	if m.versioning == versioningEnabled {
		if r.id = got.ID; r.id == "" {
			return m, false
		}
	} else if got.ID != "" {
		return m, false
	}
	return m.add(o.Key, r), true
}

func (m model) remove(o asked, got outcome) (model, bool) {
	rs := m.keys[o.Key]
	if got.Code != "" {
		return m, false
	}
	if o.ID != "" || m.versioning == "" {
		id := o.ID
		if id == "" {
			id = nullVersion
		}
		i := slices.IndexFunc(rs, func(r revision) bool { return r.id == id })
		if i < 0 {
			return m, true
		}
		told := got.ID == id || id == nullVersion && got.ID == ""
		return m.with(o.Key, without(rs, id)), told && (got.Marker == rs[i].marker || got.ID == "")
	}
	if _, missing := m.find(o.Key, ""); missing != "" {
		return m, true // what is deleted stays as it is
	}
	r := revision{id: nullVersion, marker: true}
	if m.versioning == versioningEnabled {
		if r.id = got.ID; r.id == "" || !got.Marker {
			return m, false
		}
	}
	return m.add(o.Key, r), true
}

// objects are the lines of a listing, versions those of a listing of versions.
func (m model) objects(prefix, delimiter string) (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		r := m.keys[key][0]
		if !strings.HasPrefix(key, prefix) || r.marker {
			continue
		}
		line := key + " " + r.etag
		if common := commonPrefix(key, prefix, delimiter); common != "" {
			line = common
		}
		if len(lines) == 0 || lines[len(lines)-1] != line {
			lines = append(lines, line)
		}
	}
	return lines
}

func (m model) versions() (lines []string) {
	for _, key := range slices.Sorted(maps.Keys(m.keys)) {
		for i, r := range m.keys[key] {
			lines = append(lines, fmt.Sprintf("%s %s %t %t %s", key, r.id, i == 0, r.marker, r.etag))
		}
	}
	return lines
}

// world is the store beside the models that may be of it: one, unless clients
// did something at the same time.
type world struct {
	t      *rapid.T
	dir    string
	s      direct
	models []model
}

func openWorld(t *rapid.T, dir string) *world {
	w := &world{t: t, dir: dir, models: []model{{keys: map[string][]revision{}}}}
	w.open()
	require.NoError(t, w.s.CreateBucket("uploads"))
	return w
}

func (w *world) open() {
	s, err := Open(Options{
		Dir: w.dir, Keys: map[string]Key{testKey: {Secret: testSecret}}, NoSync: true, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(w.t, err)
	w.s = direct{s}
}

// settle keeps the models that accept is true for.
func (w *world) settle(what any, accept func(m model) (model, bool)) {
	var left []model
	for _, m := range w.models {
		if next, ok := accept(m); ok {
			left = append(left, next)
		}
	}
	if len(left) == 0 {
		w.t.Fatalf("no order of what was asked explains the answers: %+v\nof %+v", what, w.models)
	}
	w.models = left
}

// together has several clients ask at the same time; there must be an order in
// which the model gives the same answers.
func (w *world) together(ops []asked) {
	got := make([]outcome, len(ops))
	var wg sync.WaitGroup
	for i, o := range ops {
		wg.Go(func() { got[i] = o.do(w.s) })
	}
	wg.Wait()
	var orders []model
	seen := map[string]bool{}
	for _, m := range w.models {
		permute(m, ops, got, func(next model) {
			if id := fmt.Sprint(next); !seen[id] {
				seen[id] = true
				orders = append(orders, next)
			}
		})
	}
	if len(orders) == 0 {
		w.t.Fatalf("no order of %+v explains %+v, of %+v", ops, got, w.models)
	}
	w.models = orders
}

// permute calls found for what each possible order leads to.
func permute(m model, ops []asked, got []outcome, found func(model)) {
	if len(ops) == 0 {
		found(m)
		return
	}
	for i := range ops {
		next, ok := m.apply(ops[i], got[i])
		if ok {
			permute(next, slices.Concat(ops[:i], ops[i+1:]), slices.Concat(got[:i], got[i+1:]), found)
		}
	}
}

// checkLists compares every listing, page by page, with the model.
func (w *world) checkLists() {
	limit := rapid.IntRange(1, 7).Draw(w.t, "page size")
	versions := w.pages(limit, "versions", "", "")
	w.settle(versions, func(m model) (model, bool) { return m, slices.Equal(m.versions(), versions) })
	for _, l := range [][2]string{{"", ""}, {"", "/"}, {"a/", "/"}, {"a", ""}, {"", "c"}} {
		for _, kind := range []string{"list-type=2", ""} {
			got := w.pages(limit, kind, l[0], l[1])
			w.settle(got, func(m model) (model, bool) { return m, slices.Equal(m.objects(l[0], l[1]), got) })
		}
	}
}

// pages reads a listing to its end.
func (w *world) pages(limit int, kind, prefix, delimiter string) (lines []string) {
	query := url.Values{"prefix": {prefix}, "delimiter": {delimiter}, "max-keys": {fmt.Sprint(limit)}}
	for {
		a := w.s.ask(http.MethodGet, "/uploads", strings.TrimPrefix(kind+"&"+query.Encode(), "&"), nil, http.Header{})
		require.Equal(w.t, http.StatusOK, a.Code, a.Body)
		var page listedPage
		require.NoError(w.t, xml.Unmarshal(a.Body.Bytes(), &page))
		page.Versions = slices.DeleteFunc(page.Versions, func(v listedVersion) bool { return v.VersionID == "" })
		n := len(page.Contents) + len(page.CommonPrefixes) + len(page.Versions)
		require.LessOrEqual(w.t, n, limit)
		lines = append(lines, page.lines()...)
		if !page.IsTruncated {
			return lines
		}
		require.NotZero(w.t, n, "an empty page with another behind it")
		switch kind {
		case "versions":
			query.Set("key-marker", page.NextKeyMarker)
			query.Set("version-id-marker", page.NextVersionIDMarker)
		case "":
			query.Set("marker", page.NextMarker)
		default:
			query.Set("continuation-token", page.NextContinuationToken)
		}
	}
}

// listedPage is any listing. Among the versions stand delete markers, and
// elements that are no version, without an id.
type listedPage struct {
	IsTruncated                                      bool
	NextMarker, NextContinuationToken, NextKeyMarker string
	NextVersionIDMarker                              string `xml:"NextVersionIdMarker"`
	Contents                                         []struct{ Key, ETag string }
	CommonPrefixes                                   []struct{ Prefix string }
	Versions                                         []listedVersion `xml:",any"`
}

type listedVersion struct {
	XMLName   xml.Name
	Key, ETag string
	VersionID string `xml:"VersionId"`
	IsLatest  bool
}

func (p listedPage) lines() (lines []string) {
	for _, c := range p.Contents {
		lines = append(lines, c.Key+" "+strings.Trim(c.ETag, `"`))
	}
	for _, c := range p.CommonPrefixes {
		lines = append(lines, c.Prefix)
	}
	slices.Sort(lines)
	for _, v := range p.Versions {
		lines = append(lines, fmt.Sprintf("%s %s %t %t %s", v.Key, v.VersionID, v.IsLatest, v.XMLName.Local == "DeleteMarker", strings.Trim(v.ETag, `"`)))
	}
	return lines
}

func modelKeys() []string { return []string{"a", "a/b", "a/c/d", "a/c", "b//", "ü c"} }

// draw makes up an operation, mostly one that has something to work on.
func (w *world) draw(kinds ...string) asked {
	o := asked{
		Kind: rapid.SampledFrom(kinds).Draw(w.t, "kind"), Key: rapid.SampledFrom(modelKeys()).Draw(w.t, "key"),
		Content: rapid.SampledFrom([]string{"0", "1", "2", "3"}).Draw(w.t, "content"),
	}
	m := w.models[0]
	switch o.Kind {
	case "put", "multipart", "copy":
		o.Source = rapid.SampledFrom(modelKeys()).Draw(w.t, "source")
		switch rapid.IntRange(0, 3).Draw(w.t, "condition") {
		case 0:
			o.Absent = true
		case 1:
			if o.Match = etagOf(o.Content); len(m.keys[o.Key]) > 0 && m.keys[o.Key][0].etag != "" {
				o.Match = m.keys[o.Key][0].etag
			}
		}
		if o.Kind != "copy" && rapid.Bool().Draw(w.t, "tagged") {
			o.Tags = "k=" + o.Content
		}
	default:
		if rs := m.keys[o.Key]; len(rs) > 0 && rapid.Bool().Draw(w.t, "of a version") {
			o.ID = rapid.SampledFrom(rs).Draw(w.t, "version").id
		}
	}
	return o
}

// deleteMany removes several keys with one request.
func (w *world) deleteMany() {
	var body strings.Builder
	var ops []asked
	for range rapid.IntRange(1, 4).Draw(w.t, "keys") {
		o := w.draw("delete")
		if slices.ContainsFunc(ops, func(p asked) bool { return p.Key == o.Key }) {
			continue
		}
		ops = append(ops, o)
		body.WriteString("<Object><Key>" + o.Key + "</Key>")
		if o.ID != "" {
			body.WriteString("<VersionId>" + o.ID + "</VersionId>")
		}
		body.WriteString("</Object>")
	}
	document := "<Delete>" + body.String() + "</Delete>"
	a := w.s.ask(http.MethodPost, "/uploads", "delete", []byte(document), http.Header{"Content-Md5": {contentMD5(document)}})
	require.Equal(w.t, http.StatusOK, a.Code, a.Body)
	var done struct {
		Deleted []struct {
			Key                   string
			DeleteMarker          bool
			DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId"`
			VersionID             string `xml:"VersionId"`
		}
	}
	require.NoError(w.t, xml.Unmarshal(a.Body.Bytes(), &done))
	require.Len(w.t, done.Deleted, len(ops), a.Body)
	w.settle(ops, func(m model) (model, bool) {
		for i, o := range ops {
			d := done.Deleted[i]
			if d.Key != o.Key {
				return m, false
			}
			if o.ID == "" && m.versioning != "" {
				if len(m.keys[o.Key]) == 0 {
					continue // one is said to be made also where there is nothing to hide
				}
				m = m.add(o.Key, revision{id: cmp.Or(d.DeleteMarkerVersionID, nullVersion), marker: true})
				continue
			}
			if o.ID == "" {
				o.ID = nullVersion
			}
			m = m.with(o.Key, without(m.keys[o.Key], o.ID))
		}
		return m, true
	})
}

// TestModel holds the store against a plain map: what several clients ask at
// the same time has to be explained by one order of their requests, and what
// is read and listed afterwards by its outcome, also over restarts.
func TestModel(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		require.NoError(t, err)
		w := openWorld(t, dir)
		defer func() { require.NoError(t, w.s.Close()) }()
		changes := []string{"put", "put", "multipart", "delete", "tag"}
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				require.NoError(t, w.s.Close())
				w.open()
			case 1:
				status := rapid.SampledFrom([]string{versioningEnabled, versioningSuspended}).Draw(t, "versioning")
				a := w.s.ask(http.MethodPut, "/uploads", "versioning", []byte("<VersioningConfiguration><Status>"+status+"</Status></VersioningConfiguration>"), http.Header{})
				require.Equal(t, http.StatusOK, a.Code, a.Body)
				w.settle(status, func(m model) (model, bool) { return model{status, m.keys}, true })
			case 2:
				w.deleteMany()
			case 3:
				w.together([]asked{w.draw("copy")})
			case 4: // racers for one key
				o := w.draw("put", "multipart")
				o.Absent = o.Match == ""
				race := []asked{o, o, o, o}
				for i := range race {
					race[i].Content = fmt.Sprint("racer ", i)
				}
				w.together(race)
			default:
				var ops []asked
				for range rapid.IntRange(1, 4).Draw(t, "clients") {
					ops = append(ops, w.draw(append(changes, "get", "tags")...))
				}
				w.together(ops)
			}
			w.checkLists()
			for _, key := range modelKeys() {
				w.together([]asked{{Kind: "get", Key: key}})
				w.together([]asked{{Kind: "tags", Key: key}})
			}
		}
		names, err := os.ReadDir(dir + "/tmp")
		require.NoError(t, err)
		require.Empty(t, names)
	})
}
